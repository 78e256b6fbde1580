//! `s3://bucket/key`.

use crate::PlaceError;
use crate::name;

const SCHEME: &str = "s3://";

/// Whether a text, or a path, names object storage.
pub fn is_object_url(text: &str) -> bool {
    text.starts_with(SCHEME)
}

/// `s3://bucket/a/b` as `bucket` and `a/b`; the second is empty for a whole bucket. A `/` at the end is left
/// out.
///
/// # Errors
/// [`PlaceError::BadPlace`] if the text is none, or names what no key can be.
pub fn split_object_url(text: &str) -> Result<(&str, &str), PlaceError> {
    let bad = |reason| PlaceError::BadPlace { text: text.to_owned(), reason };
    let rest = text.strip_prefix(SCHEME).ok_or_else(|| bad("it does not begin with s3://"))?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, and the older rule that
    // allowed capitals and underscores.
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    if !(3..=255).contains(&bucket.len()) || !bucket.chars().all(allowed) {
        return Err(bad(
            "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens",
        ));
    }
    let key = key.strip_suffix('/').unwrap_or(key);
    match name::problem(key) {
        Some(reason) if !key.is_empty() => Err(bad(reason)),
        _ => Ok((bucket, key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_into_bucket_and_key() {
        assert_eq!(split_object_url("s3://scans").unwrap(), ("scans", ""));
        assert_eq!(split_object_url("s3://scans/").unwrap(), ("scans", ""));
        assert_eq!(split_object_url("s3://scans/2024/a b.dcm").unwrap(), ("scans", "2024/a b.dcm"));
        assert_eq!(split_object_url("s3://scans/2024/").unwrap(), ("scans", "2024"));
        for text in ["scans", "s3://", "s3:///a", "s3://a", "s3://sc ans/a", "s3://scans/../a"] {
            assert!(split_object_url(text).is_err(), "{text}");
        }
        assert!(split_object_url("s3://user:secret@host/a").is_err());
    }
}
