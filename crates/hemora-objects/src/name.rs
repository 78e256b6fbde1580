//! Names of files in a place: what comes from outside must not leave it.

use crate::PlaceError;

/// Longest name, bytes: that of a key of S3.
const MAX_NAME: usize = 1024;

/// Checks a name: parts separated by `/`, none of them empty, `.` or `..`.
pub(crate) fn check(name: &str) -> Result<(), PlaceError> {
    match problem(name) {
        None => Ok(()),
        Some(reason) => Err(PlaceError::BadName { name: name.to_owned(), reason }),
    }
}

/// As [`check`], where no name means the place itself.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), PlaceError> {
    if prefix.is_empty() { Ok(()) } else { check(prefix) }
}

/// What is wrong with a name, if anything.
pub(crate) fn problem(name: &str) -> Option<&'static str> {
    let mut parts = name.split('/');
    match () {
        () if name.is_empty() => Some("it is empty"),
        () if name.len() > MAX_NAME => Some("it is longer than 1,024 bytes"),
        () if name.starts_with('/') => Some("it is absolute"),
        () if name.contains('\\') => Some("it has a backslash"),
        () if name.chars().any(char::is_control) => Some("it has a control character"),
        () if parts.any(|part| matches!(part, "" | "." | "..")) => {
            Some("a part of it is empty, “.” or “..”")
        }
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        for name in ["a", "a/b.dcm", "Kopf CT/ä 1%23.dcm", "..a/b..", ".hidden"] {
            assert_eq!(problem(name), None, "{name}");
        }
        let long = "a".repeat(1025);
        for name in ["", "/a", "a//b", "a/", "../a", "a/../b", "./a", "a\\b", "a\nb", &long] {
            assert!(check(name).is_err(), "{name}");
        }
        assert!(check_prefix("").is_ok() && check_prefix("..").is_err());
    }
}
