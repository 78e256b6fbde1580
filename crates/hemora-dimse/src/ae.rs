//! Names of application entities.

use std::fmt;
use std::str::FromStr;

/// Name of an application entity (VR `AE`, PS3.5 §6.2): 1 to 16 printable ASCII characters without a
/// backslash; spaces around it do not count and are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AeTitle(String);

impl AeTitle {
    /// Characters that a name may have.
    pub const LONGEST: usize = 16;

    /// The name without padding.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The field of a PDU: padded with spaces (PS3.8 §9.3.2).
    pub(crate) fn padded(&self) -> [u8; Self::LONGEST] {
        let mut field = [b' '; Self::LONGEST];
        field[..self.0.len()].copy_from_slice(self.0.as_bytes());
        field
    }
}

/// A text that is no name of an application entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no AE title: 1 to 16 printable ASCII characters without a backslash are, such as HEMORA"
)]
pub struct AeTitleError(String);

impl FromStr for AeTitle {
    type Err = AeTitleError;

    fn from_str(text: &str) -> Result<Self, AeTitleError> {
        let name = text.trim_matches(' ');
        let fits = (1..=Self::LONGEST).contains(&name.len());
        if fits && name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\') {
            Ok(Self(name.to_owned()))
        } else {
            Err(AeTitleError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for AeTitle {
    type Error = AeTitleError;

    fn try_from(text: String) -> Result<Self, AeTitleError> {
        text.parse()
    }
}

impl fmt::Display for AeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_1_to_16_characters_and_no_padding() {
        let name: AeTitle = " CT 1 ".parse().unwrap();
        assert_eq!(name.as_str(), "CT 1");
        assert_eq!(name.padded(), *b"CT 1            ");
        assert!("SIXTEEN-LETTERS.".parse::<AeTitle>().is_ok());
        for bad in ["", "    ", "SEVENTEEN-LETTERS", "A\\B", "A\nB", "Zürich", "A\0"] {
            assert!(bad.parse::<AeTitle>().is_err(), "{bad:?}");
        }
    }
}
