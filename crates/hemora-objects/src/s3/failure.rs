//! What object storage answers, as what a user can do about it.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use object_store::client::{HttpError, HttpErrorKind};

use super::bucket::Bucket;
use crate::PlaceError;

/// Why a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    Store(object_store::Error),
    /// A local file failed.
    File(PathBuf, io::Error),
    TooLarge {
        size: u64,
        limit: u64,
    },
    /// It is not what it was a moment ago.
    Changed,
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// Whether the server says that there is no such object, in a bucket that is there.
    pub(super) fn is_absence(&self) -> bool {
        match self {
            Self::Store(error @ object_store::Error::NotFound { .. }) => {
                code(&texts(error)) != Some("NoSuchBucket")
            }
            _ => false,
        }
    }

    /// Whether the server has no byte where the first was asked for.
    pub(super) fn is_beyond_the_end(&self) -> bool {
        let Self::Store(error) = self else { return false };
        let said = texts(error);
        code(&said) == Some("InvalidRange") || said.contains("status code: 416")
    }

    /// The error that a user reads.
    pub(super) fn of(self, bucket: &Bucket, url: &str) -> PlaceError {
        let object = url.to_owned();
        let error = match self {
            Self::Store(error) => error,
            Self::File(path, error) => return PlaceError::File { path, error },
            Self::TooLarge { size, limit } => {
                return PlaceError::TooLarge { name: object, size, limit };
            }
            Self::Changed => return PlaceError::Changed { object },
        };
        if let object_store::Error::InvalidPath { .. } = error {
            let reason = "a key below it has an empty part or a control character; rename it";
            return PlaceError::BadName { name: object, reason };
        }
        let said = texts(&error);
        let endpoint = bucket.endpoint.clone();
        let reason = reason(&error, &said);
        match (&error, code(&said)) {
            (_, Some("NoSuchBucket")) => {
                PlaceError::NoBucket { object, bucket: bucket.name.clone(), endpoint }
            }
            (_, Some("PermanentRedirect" | "AuthorizationHeaderMalformed")) => {
                PlaceError::OtherRegion { object }
            }
            _ if said.contains("redirect without LOCATION") => PlaceError::OtherRegion { object },
            (
                object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. },
                _,
            )
            | (
                _,
                Some(
                    "InvalidAccessKeyId"
                    | "SignatureDoesNotMatch"
                    | "ExpiredToken"
                    | "InvalidToken",
                ),
            ) => PlaceError::Denied { object, endpoint, reason },
            (object_store::Error::Precondition { .. }, _) => PlaceError::Changed { object },
            _ if is_unreachable(&error) => PlaceError::Unreachable { object, endpoint, reason },
            _ => PlaceError::Failed { object, endpoint, reason },
        }
    }
}

/// What an error and its causes say.
fn texts(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// An error and its causes, the first of all last.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

/// What stands in an element of the answer, which is XML.
fn element<'a>(said: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = said.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(value.trim())
}

/// The code of an answer of S3, such as `NoSuchKey`.
fn code(said: &str) -> Option<&str> {
    element(said, "Code").filter(|code| code.chars().all(|letter| letter.is_ascii_alphanumeric()))
}

/// Why it failed, in a line: of an answer code and message alone, since the rest may repeat what was signed.
fn reason(error: &object_store::Error, said: &str) -> String {
    let status = said.split_once("status code: ").and_then(|(_, rest)| rest.get(..3));
    let status = status.filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
    let what = match (code(said), status) {
        (Some(code), _) => match element(said, "Message") {
            Some(message) if !message.is_empty() => format!("{code}: {message}"),
            _ => code.to_owned(),
        },
        (None, Some(status)) => format!("HTTP status {status}"),
        (None, None) => innermost(error),
    };
    let retries = said.split_once("after ").and_then(|(_, rest)| rest.split_once(" retries"));
    let retries = retries.and_then(|(number, _)| number.parse::<usize>().ok());
    let line: String = what.chars().filter(|letter| !letter.is_control()).take(300).collect();
    match retries {
        Some(retries) => format!("{line}; asked {} times", retries + 1),
        None => line,
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Whether no answer came at all.
fn is_unreachable(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|error| {
        let kind = error.downcast_ref::<HttpError>().map(HttpError::kind);
        matches!(kind, Some(HttpErrorKind::Connect | HttpErrorKind::Timeout))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_and_message_of_an_answer_are_told() {
        let error = object_store::Error::Generic { store: "S3", source: "nothing".into() };
        let said = "Error performing PUT http://minio/b/k in 1s, after 7 retries, max_retries: 7 - \
            Server returned non-2xx status code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code>\
            <Message>The signature\n differs</Message><StringToSign>AWS4 hidden</StringToSign></Error>";
        assert_eq!(
            reason(&error, said),
            "SignatureDoesNotMatch: The signature differs; asked 8 times"
        );
        assert_eq!(
            reason(&error, "status code: 503 x, after 2 retries"),
            "HTTP status 503; asked 3 times"
        );
        assert_eq!(reason(&error, "what else"), "nothing");
        assert_eq!(code("<Code>No<b>Such</Code>"), None);
    }
}
