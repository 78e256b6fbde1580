//! Transfer syntaxes: how a data set and its pixels are encoded, and which can be read.

use dicom_dictionary_std::uids;
use dicom_encoding::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use super::dataset::Encoding;
use crate::ReadError;
use crate::codec::PixelCoding;

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
        use PixelCoding::{Jpeg, Jpeg2000, JpegLs, Native, RunLength, Unsupported};
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
            | JPEG_SPECTRAL_SELECTION
            | JPEG_FULL_PROGRESSION
            | uids::JPEG_LOSSLESS
            | uids::JPEG_LOSSLESS_SV1 => (Encoding::ExplicitLittle, Jpeg),
            uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => {
                (Encoding::ExplicitLittle, JpegLs)
            }
            uids::JPEG2000_LOSSLESS
            | uids::JPEG2000
            | uids::HTJ2K_LOSSLESS
            | uids::HTJ2K_LOSSLESS_RPCL
            | uids::HTJ2K => (Encoding::ExplicitLittle, Jpeg2000),
            #[cfg(feature = "jpeg-xl")]
            uids::JPEGXL_LOSSLESS | uids::JPEGXLJPEG_RECOMPRESSION | uids::JPEGXL => {
                (Encoding::ExplicitLittle, PixelCoding::JpegXl)
            }
            // Every other standard syntax has its attributes in explicit little endian (PS3.5 A.4).
            _ => (Encoding::ExplicitLittle, Unsupported),
        };
        let deflated = uid == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
        Self { uid: uid.to_owned(), encoding, deflated, coding }
    }

    /// Whether images in this syntax can be decoded.
    pub(crate) fn check(&self) -> Result<(), ReadError> {
        match self.coding {
            PixelCoding::Unsupported => Err(self.unsupported()),
            _ => Ok(()),
        }
    }

    /// The error that names this syntax.
    fn unsupported(&self) -> ReadError {
        let name = match TransferSyntaxRegistry.get(&self.uid) {
            Some(_) if self.uid.starts_with(JPEG_XL) => {
                "JPEG XL, which needs a build with the feature jpeg-xl"
            }
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
/// JPEG processes 6 & 8, retired.
const JPEG_SPECTRAL_SELECTION: &str = "1.2.840.10008.1.2.4.53";
/// JPEG processes 10 & 12, retired.
const JPEG_FULL_PROGRESSION: &str = "1.2.840.10008.1.2.4.55";
/// What the UIDs of all JPEG XL syntaxes begin with.
const JPEG_XL: &str = "1.2.840.10008.1.2.4.11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_syntaxes_are_named() {
        let message =
            |uid: &str| TransferSyntax::from_uid(uid).check().map_err(|error| error.to_string());
        assert_eq!(message("1.2.840.10008.1.2"), Ok(()));
        assert_eq!(message(JPEG_EXTENDED), Ok(()));
        for (uid, name) in [
            #[cfg(not(feature = "jpeg-xl"))]
            ("1.2.840.10008.1.2.4.110", "feature jpeg-xl"),
            ("1.2.840.10008.1.2.4.100", "MPEG2"),
            ("1.2.840.10008.1.2.4.52", "retired"),
            ("1.2.3", "not in the standard"),
        ] {
            let message = message(uid).unwrap_err();
            assert!(message.contains(uid) && message.contains(name), "{message}");
        }
    }
}
