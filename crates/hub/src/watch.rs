//! Who looks on while files come in.

/// What a download tells, and whether it may go on. Every function may be left out.
pub trait Watch {
    /// A transfer of `file` begins with `have` bytes that are there already, of `size` where that is known.
    fn begins(&self, file: &str, have: u64, size: Option<u64>) {
        let _ = (file, have, size);
    }

    /// So many bytes of `file` are there.
    fn has(&self, file: &str, have: u64) {
        let _ = (file, have);
    }

    /// `file` is there, and right.
    fn ends(&self, file: &str) {
        let _ = file;
    }

    /// Something that a user should know: a wait, another attempt, a body that was wrong.
    fn says(&self, text: &str) {
        let _ = text;
    }

    /// Whether to stop now; what has come so far stays for a later process.
    fn stops(&self) -> bool {
        false
    }
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watch for Silent {}
