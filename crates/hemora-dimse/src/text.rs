//! Texts from the network.

/// A text without padding: spaces, or the zeros that stand behind UIDs.
pub(crate) fn trimmed(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_matches(|letter| letter == ' ' || letter == '\0').to_owned()
}
