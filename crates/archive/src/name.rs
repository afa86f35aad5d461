//! Names of entries: what may become a path, and how one is shown.

use crate::NameFault;

/// Most letters of a name in a message.
const SHOWN: usize = 120;

/// The parts of a name joined with `/`, relative and without `.`; an empty text is the folder itself.
///
/// # Errors
/// When the name leads out of the folder, or is none that every system takes.
pub(crate) fn inside(name: &[u8], longest: usize) -> Result<String, NameFault> {
    if name.len() > longest {
        return Err(NameFault::TooLong(longest));
    }
    let text = str::from_utf8(name).map_err(|_| NameFault::NotText)?;
    if text.is_empty() {
        return Err(NameFault::Empty);
    }
    if let Some(letter) = text.chars().find(|letter| letter.is_control() || *letter == '\\') {
        return Err(NameFault::Character(letter));
    }
    let drive = matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if text.starts_with('/') || drive {
        return Err(NameFault::Absolute);
    }
    let mut path = String::with_capacity(text.len());
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(NameFault::Parent),
            part => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(part);
            }
        }
    }
    Ok(path)
}

/// A name for a message: no control character of it reaches a terminal.
pub(crate) fn shown(name: &[u8]) -> String {
    let start = &name[..name.len().min(4 * SHOWN)];
    let text = String::from_utf8_lossy(start);
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(SHOWN).flat_map(char::escape_debug).collect();
    if letters.next().is_some() || start.len() < name.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_stay_inside_are_taken() {
        for (name, path) in [
            ("a/b.wav", "a/b.wav"),
            ("./a//b/", "a/b"),
            ("./", ""),
            (".hidden", ".hidden"),
            ("..a/b..", "..a/b.."),
            ("Ünï/語.wav", "Ünï/語.wav"),
        ] {
            assert_eq!(inside(name.as_bytes(), 100).as_deref(), Ok(path));
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for (name, fault) in [
            ("/etc/passwd", NameFault::Absolute),
            ("//a", NameFault::Absolute),
            ("C:/a", NameFault::Absolute),
            ("..", NameFault::Parent),
            ("a/../../b", NameFault::Parent),
            ("a/..", NameFault::Parent),
            ("..\\a", NameFault::Character('\\')),
            ("a\0b", NameFault::Character('\0')),
            ("a\u{1b}[2J", NameFault::Character('\u{1b}')),
            ("", NameFault::Empty),
        ] {
            assert_eq!(inside(name.as_bytes(), 100), Err(fault), "{name:?}");
        }
        assert_eq!(inside(b"a\xff", 100), Err(NameFault::NotText));
        assert_eq!(inside(&[b'a'; 101], 100), Err(NameFault::TooLong(100)));
    }

    #[test]
    fn a_shown_name_is_short_and_harmless() {
        assert_eq!(shown(b"a\x1b[2J\n"), "`a\\u{1b}[2J\\n`");
        let long = shown(&vec![b'a'; 100_000]);
        assert!(long.chars().count() < 130 && long.ends_with("…`"), "{long}");
    }
}
