//! What can go wrong with a place. No message holds a secret.

use std::io;
use std::path::PathBuf;

/// Why something could not be written, read or listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The program was built without the feature `s3`.
    #[error(
        "{url}: this build has no object storage; use a released program, or build with \
         `cargo build --release --features s3`"
    )]
    NotBuilt {
        /// The URL that was given.
        url: String,
    },
    /// A text that is no place.
    #[error("{text:?} is no place: {reason}; give a folder, or s3://BUCKET or s3://BUCKET/PREFIX")]
    BadPlace {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A name that leaves the place, or that not every system can have.
    #[error("{name:?} is no name of a file in a place: {reason}")]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// More bytes than the caller takes.
    #[error("{name} has {size} bytes, and at most {limit} are read")]
    TooLarge {
        /// The file or object.
        name: String,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// An `AWS_` variable that cannot be used. Its value is not told, which may be a secret.
    #[error("the variables for object storage cannot be used: {reason}")]
    Variables {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Nobody says who is asking.
    #[error(
        "{object}: no credentials for object storage; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (of a \
         profile: `eval \"$(aws configure export-credentials --format env)\"`), or AWS_SKIP_SIGNATURE=true for \
         a bucket that anybody may read"
    )]
    NoCredentials {
        /// What was asked for.
        object: String,
    },
    /// The server knows no such bucket.
    #[error(
        "{object}: there is no bucket {bucket:?} at {endpoint}; check its name and AWS_ENDPOINT_URL"
    )]
    NoBucket {
        /// What was asked for.
        object: String,
        /// The bucket.
        bucket: String,
        /// Whom we asked.
        endpoint: String,
    },
    /// The server refuses these credentials, or they may not do this.
    #[error(
        "{object}: {endpoint} refuses access ({reason}); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
         AWS_SESSION_TOKEN, and what they may do in this bucket"
    )]
    Denied {
        /// What was asked for.
        object: String,
        /// Whom we asked.
        endpoint: String,
        /// What the server says.
        reason: String,
    },
    /// The bucket is in another region than the request says.
    #[error("{object}: the bucket is in another region; set AWS_REGION to the bucket's region")]
    OtherRegion {
        /// What was asked for.
        object: String,
    },
    /// Nobody answers.
    #[error(
        "{object}: {endpoint} cannot be reached ({reason}); check AWS_ENDPOINT_URL, AWS_REGION and the network"
    )]
    Unreachable {
        /// What was asked for.
        object: String,
        /// Whom we asked.
        endpoint: String,
        /// What the network says.
        reason: String,
    },
    /// The object is another one than a moment ago.
    #[error("{object} was replaced while it was read; try again")]
    Changed {
        /// The object.
        object: String,
    },
    /// The server failed, and did so again when it was asked again.
    #[error("{object}: {endpoint} fails ({reason}); try again later")]
    Failed {
        /// What was asked for.
        object: String,
        /// Whom we asked.
        endpoint: String,
        /// What the server says, and how often it was asked.
        reason: String,
    },
}
