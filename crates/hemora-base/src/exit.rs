//! How a program ends: one code, one meaning, in every program of Hemora.

use std::process::ExitCode;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Everything was done.
    Success = 0,
    /// Nothing could be used, or an error ended it.
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// Some inputs failed and are named in the output; the rest was done.
    SomeInputsFailed = 3,
    /// Memory ran out; a smaller batch may do.
    OutOfMemory = 4,
}

impl ExitStatus {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Success, Self::Failed, Self::Usage, Self::SomeInputsFailed, Self::OutOfMemory];

    /// The code that the operating system sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The status of a program that ended with `code`; `None` for a code that has no meaning here.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| i32::from(status.code()) == code)
    }

    /// Whether the outputs are there: of all inputs, or of those that could be read.
    pub fn has_outputs(self) -> bool {
        matches!(self, Self::Success | Self::SomeInputsFailed)
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back_and_unknown_ones_are_not_guessed() {
        for status in ExitStatus::ALL {
            assert_eq!(ExitStatus::from_code(status.code().into()), Some(status));
        }
        assert_eq!(ExitStatus::from_code(101), None);
        assert!(ExitStatus::SomeInputsFailed.has_outputs());
        assert!(!ExitStatus::OutOfMemory.has_outputs());
    }
}
