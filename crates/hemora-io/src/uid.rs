//! Unique identifiers: dotted, or made from any other text.

/// Whether `text` has the form of a UID (PS3.5 §9.1): digits and dots, at most 64 characters.
pub(crate) fn is_dotted_uid(text: &str) -> bool {
    let component = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || (!part.is_empty() && !part.starts_with('0')))
    };
    text.len() <= 64 && text.contains('.') && text.split('.').all(component)
}

/// Whether `text` is made of what UIDs are made of, digits and dots. Some makers' UIDs have leading zeros or
/// are too long, and name their images all the same; words in their place, as in data without names, do not.
pub fn is_uid_like(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// A UID that is always the same for the same bytes: `2.25.` and a 128-bit number (PS3.5 B.2),
/// here their FNV-1a hash.
pub(crate) fn dotted_uid(bytes: &[u8]) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash =
        bytes.iter().fold(OFFSET, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("2.25.{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_uids() {
        assert!(is_uid_like("1.2.840.1") && is_uid_like("1.02"));
        assert!(!is_uid_like("") && !is_uid_like("ID_000012eaf") && !is_uid_like("1.2 "));
    }

    #[test]
    fn only_digits_and_dots_make_a_uid() {
        assert!(is_dotted_uid("1.2.840.10008.5.1.4.1.1.2"));
        for wrong in ["", "1", "ID_000012eaf", "1..2", "1.02", "1.2.", &"1.2".repeat(40)] {
            assert!(!is_dotted_uid(wrong), "{wrong}");
        }
        let made = dotted_uid(b"ID_000012eaf");
        assert!(is_dotted_uid(&made));
        assert_ne!(made, dotted_uid(b"ID_000012eae"));
    }
}
