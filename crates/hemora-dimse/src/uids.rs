//! UIDs of the services and of the transfer syntaxes (PS3.6 annex A).

/// DICOM application context name (PS3.7 §A.2.1).
pub const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
/// Verification SOP class.
pub const VERIFICATION: &str = "1.2.840.10008.1.1";
/// Storage Commitment Push Model SOP class.
pub const STORAGE_COMMITMENT: &str = "1.2.840.10008.1.20.1";
/// Its well-known SOP instance.
pub const STORAGE_COMMITMENT_INSTANCE: &str = "1.2.840.10008.1.20.1.1";
/// Study Root Query/Retrieve Information Model, FIND.
pub const STUDY_ROOT_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
/// Implicit VR little endian.
pub const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
/// Explicit VR little endian.
pub const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// By which peers tell this program's associations and files from others (PS3.7 §D.3.3.2).
pub const IMPLEMENTATION_CLASS: &str = "2.25.145347118509455956381305312310910438848";
/// Its version, at most 16 characters.
pub const IMPLEMENTATION_VERSION: &str = concat!("HEMORA_", env!("CARGO_PKG_VERSION"));

/// Whether data sets in this transfer syntax are taken: all in which CT images come. Video and what
/// refers to pixels elsewhere (JPIP) are not.
pub fn is_image_syntax(uid: &str) -> bool {
    let Some(rest) = uid.strip_prefix("1.2.840.10008.1.2") else { return false };
    match rest {
        // Native, both byte orders; encapsulated uncompressed; deflated; RLE.
        "" | ".1" | ".2" | ".1.98" | ".1.99" | ".5" => true,
        // JPEG-LS, JPEG 2000, JPEG XL and HTJ2K.
        ".4.80" | ".4.81" | ".4.90" | ".4.91" | ".4.92" | ".4.93" => true,
        ".4.110" | ".4.111" | ".4.112" | ".4.201" | ".4.202" | ".4.203" => true,
        // Every process of JPEG, the retired ones too: archives still hold them.
        _ => {
            let process = rest.strip_prefix(".4.").map(str::as_bytes);
            matches!(process, Some([b'5', b'0'..=b'9'] | [b'6', b'0'..=b'6'] | b"70"))
        }
    }
}

/// Whether a text is a UID: 1 to 64 digits and dots (PS3.5 §9.1). Leading zeros of a component pass,
/// since some makers write them.
pub fn is_uid(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()))
}

/// Whether a text names an instance or a study: a UID, or what data sets that were made anonymous have
/// in its place (`ID_000012eaf`): 1 to 64 letters, digits, dots, `_` and `-`, the first a letter or digit.
/// A file may have such a name.
pub fn is_instance_name(text: &str) -> bool {
    let fits = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
    (1..=64).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_syntaxes_are_taken_and_video_is_not() {
        for known in ["", ".1", ".2", ".1.99", ".4.50", ".4.57", ".4.70", ".4.81", ".4.203", ".5"] {
            assert!(is_image_syntax(&format!("1.2.840.10008.1.2{known}")), "{known}");
        }
        for other in [".4.94", ".4.100", ".4.67", ".4.+51", ".6.1", ".4.51.1", ".3"] {
            assert!(!is_image_syntax(&format!("1.2.840.10008.1.2{other}")), "{other}");
        }
        assert!(!is_image_syntax("1.2.3"));
    }

    #[test]
    fn uids_are_digits_and_dots() {
        for good in ["1", "1.2.3", "2.25.0123", IMPLEMENTATION_CLASS] {
            assert!(is_uid(good), "{good}");
        }
        for bad in ["", ".", "1.", ".1", "1..2", "1.2a", "../1", &"1".repeat(65), "1.2 "] {
            assert!(!is_uid(bad), "{bad}");
        }
        assert!(IMPLEMENTATION_VERSION.len() <= 16);
    }

    #[test]
    fn instances_may_have_names_that_are_no_uids_but_of_files() {
        for good in ["1.2.3", "ID_000012eaf", "a-1"] {
            assert!(is_instance_name(good), "{good}");
        }
        for bad in ["", ".", "..", ".a", "a/b", "a\\b", "a b", "a\0", "ä", &"1".repeat(65)] {
            assert!(!is_instance_name(bad), "{bad:?}");
        }
    }
}
