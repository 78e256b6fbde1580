//! Transfer syntaxes: how a data set and its pixels are encoded, and which can be read.

use dicom_dictionary_std::uids;
use dicom_encoding::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use crate::ReadError;
use crate::dataset::Encoding;

/// How pixels are encoded in the Pixel Data element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PixelCoding {
    /// As they are, in fragments or not.
    Native,
    /// PS3.5 annex G.
    RunLength,
    /// JPEG processes 1, 2 & 4, and 14.
    Jpeg,
    /// Something that cannot be decoded.
    Unsupported,
}

/// What a transfer syntax UID says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransferSyntax {
    pub(crate) uid: String,
    pub(crate) encoding: Encoding,
    pub(crate) deflated: bool,
    pub(crate) coding: PixelCoding,
}

impl TransferSyntax {
    /// The syntax of a data set that does not name it, by its encoding alone.
    pub(crate) fn bare(encoding: Encoding) -> Self {
        Self::from_uid(match encoding {
            Encoding::ImplicitLittle => uids::IMPLICIT_VR_LITTLE_ENDIAN,
            Encoding::ExplicitLittle => uids::EXPLICIT_VR_LITTLE_ENDIAN,
            Encoding::ExplicitBig => EXPLICIT_VR_BIG_ENDIAN,
        })
    }

    pub(crate) fn from_uid(uid: &str) -> Self {
        use PixelCoding::{Jpeg, Native, RunLength, Unsupported};
        let (encoding, coding) = match uid {
            uids::IMPLICIT_VR_LITTLE_ENDIAN => (Encoding::ImplicitLittle, Native),
            EXPLICIT_VR_BIG_ENDIAN => (Encoding::ExplicitBig, Native),
            uids::EXPLICIT_VR_LITTLE_ENDIAN
            | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
            | uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN => {
                (Encoding::ExplicitLittle, Native)
            }
            uids::RLE_LOSSLESS => (Encoding::ExplicitLittle, RunLength),
            uids::JPEG_BASELINE8_BIT
            | JPEG_EXTENDED
            | uids::JPEG_LOSSLESS
            | uids::JPEG_LOSSLESS_SV1 => (Encoding::ExplicitLittle, Jpeg),
            // Every other standard syntax has its attributes in explicit little endian (PS3.5 A.4).
            _ => (Encoding::ExplicitLittle, Unsupported),
        };
        let deflated = uid == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
        Self { uid: uid.to_owned(), encoding, deflated, coding }
    }

    /// Whether an image of `bits_stored` bits can be decoded.
    pub(crate) fn check(&self, bits_stored: u16) -> Result<(), ReadError> {
        // The JPEG decoder has no 12-bit extended process.
        let twelve_bits = self.uid == JPEG_EXTENDED && bits_stored > 8;
        if self.coding != PixelCoding::Unsupported && !twelve_bits {
            return Ok(());
        }
        Err(self.unsupported())
    }

    /// The error that names this syntax.
    pub(crate) fn unsupported(&self) -> ReadError {
        let name = match TransferSyntaxRegistry.get(&self.uid) {
            Some(_) if self.uid == JPEG_EXTENDED => "JPEG Extended with 12 bits",
            Some(syntax) => syntax.name(),
            None if self.uid.starts_with("1.2.840.10008.1.2.4.5")
                || self.uid.starts_with("1.2.840.10008.1.2.4.6") =>
            {
                "a retired JPEG process"
            }
            None => "not in the standard",
        };
        ReadError::UnsupportedTransferSyntax { uid: self.uid.clone(), name: name.to_owned() }
    }
}

/// Retired, but still in archives.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
/// JPEG processes 2 & 4.
const JPEG_EXTENDED: &str = "1.2.840.10008.1.2.4.51";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_syntaxes_are_named() {
        let message = |uid: &str, bits| {
            TransferSyntax::from_uid(uid).check(bits).map_err(|error| error.to_string())
        };
        assert_eq!(message("1.2.840.10008.1.2", 16), Ok(()));
        assert_eq!(message(JPEG_EXTENDED, 8), Ok(()));
        for (uid, name) in [
            (JPEG_EXTENDED, "12 bits"),
            ("1.2.840.10008.1.2.4.90", "JPEG 2000"),
            ("1.2.840.10008.1.2.4.80", "JPEG-LS"),
            ("1.2.840.10008.1.2.4.55", "retired"),
            ("1.2.3", "not in the standard"),
        ] {
            let message = message(uid, 12).unwrap_err();
            assert!(message.contains(uid) && message.contains(name), "{message}");
        }
    }
}
