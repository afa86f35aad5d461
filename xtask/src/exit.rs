//! Exit codes: why a verb ended early, as a number that scripts may test.

use std::fmt;

/// The end of a verb that did not succeed. Any other error counts as [`Stop::Failed`].
#[derive(Debug)]
pub(crate) enum Stop {
    /// A check or a build failed; exit code 1.
    Failed(String),
    /// The command line makes no sense; exit code 2.
    Usage(String),
    /// Something needed is missing, and the message says how to get it; exit code 3.
    Missing(String),
}

impl Stop {
    /// The exit code of an error: that of the [`Stop`] inside it, else 1.
    pub(crate) fn code(error: &anyhow::Error) -> u8 {
        match error.downcast_ref::<Self>() {
            Some(Self::Usage(_)) => 2,
            Some(Self::Missing(_)) => 3,
            Some(Self::Failed(_)) | None => 1,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Failed(message) | Self::Usage(message) | Self::Missing(message)) = self;
        out.write_str(message)
    }
}

impl std::error::Error for Stop {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_survives_added_context() {
        let error = anyhow::Error::new(Stop::Missing("no libtorch".into())).context("setting up");
        assert_eq!(Stop::code(&error), 3);
        assert_eq!(Stop::code(&Stop::Usage("?".into()).into()), 2);
        assert_eq!(Stop::code(&anyhow::anyhow!("anything else")), 1);
    }
}
