//! Extended headers of tar: lines `LENGTH KEY=VALUE`, which may change what the next header says.

/// What an extended header says of the next entry.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Pax {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    /// It is a file with holes, whose data are no plain bytes.
    pub(crate) sparse: bool,
}

impl Pax {
    /// Whether it changes anything that is looked at here.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// This, and where it says nothing, what `before` said.
    pub(crate) fn over(self, before: Self) -> Self {
        Self {
            path: self.path.or(before.path),
            link: self.link.or(before.link),
            size: self.size.or(before.size),
            sparse: self.sparse || before.sparse,
        }
    }

    /// Reads an extended header. Values are taken by their length: they may hold line ends.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(mut bytes: &[u8]) -> Result<Self, &'static str> {
        let mut pax = Self::default();
        while !bytes.is_empty() {
            let blank =
                bytes.iter().take(20).position(|byte| *byte == b' ').ok_or("a record without a length")?;
            let length = str::from_utf8(&bytes[..blank]).ok().and_then(|text| text.parse::<usize>().ok());
            let length = length.ok_or("a length that is no number")?;
            let record = bytes.get(blank + 1..length).ok_or("a record that ends after the header")?;
            let record = record.strip_suffix(b"\n").ok_or("a record without a line end")?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or("a record without a value")?;
            pax.set(&record[..equals], &record[equals + 1..])?;
            bytes = &bytes[length..];
        }
        Ok(pax)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => {
                let size = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.size = Some(size.ok_or("a size that is no number")?);
            }
            key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_by_their_length() {
        let pax = Pax::read(b"14 path=a\nb/c\n10 x=\x00\xff\n1\n12 size=345\n").unwrap();
        assert_eq!(pax, Pax { path: Some(b"a\nb/c".to_vec()), size: Some(345), ..Pax::default() });
        assert!(Pax::read(b"").unwrap().is_plain());
    }

    #[test]
    fn lying_records_are_refused() {
        for bytes in [
            &b"99 path=a\n"[..],
            b"0 path=a\n",
            b"2 path=a\n",
            b"18446744073709551615 a=b\n",
            b"-1 a=b\n",
            b"x a=b\n",
            b"6 a=bc",
            b"5 ab\n",
            b"11 size=-1\n",
            b"nothing at all that is a length",
        ] {
            assert!(Pax::read(bytes).is_err(), "{bytes:?}");
        }
    }
}
