//! Files in a local folder or in object storage, behind one interface: [`Place`].
//!
//! ```
//! use hemora_objects::Place;
//! # let folder = tempfile::tempdir()?;
//! # let text = folder.path().to_str().unwrap();
//! let place = Place::parse(text)?; // or "s3://bucket/prefix"
//! place.write("shard-1/slices.parquet", b"all of it")?;
//! assert_eq!(place.read("shard-1/slices.parquet", 1 << 20)?.as_deref(), Some(&b"all of it"[..]));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! What is written is there as a whole or not at all, in a folder and in object storage. Object storage is
//! a feature, `s3`, which release builds have; without it an `s3://` URL is refused in words.
//!
//! | of object storage | |
//! |---|---|
//! | who speaks it | Amazon S3 and servers with its protocol (MinIO, Ceph, …), named by `AWS_ENDPOINT_URL` |
//! | credentials | `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` with `AWS_SESSION_TOKEN`; a web identity (`AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`); a container's (`AWS_CONTAINER_CREDENTIALS_*`); an EC2 instance's; none (`AWS_SKIP_SIGNATURE=true`) |
//! | not read | the files of the AWS command line (`~/.aws`): `aws configure export-credentials --format env` prints what they say as variables |
//! | other variables | `AWS_REGION`, `AWS_ALLOW_HTTP=true` for an endpoint without TLS, `AWS_MAX_ATTEMPTS` (default 8) |
//! | certificates | those of the system, or of `SSL_CERT_FILE` |
//! | memory | an upload holds at most 5 parts of 8 MiB (or, above 78 GiB, of a 10,000th of the file), a download pieces of the network's size |
//! | time | 10 s to connect, 60 s without a byte; each request is tried 8 times in at most 3 minutes |
//!
//! Calls block; call them from threads of your own, not from tasks of an async runtime. [`beside()`] keeps several
//! of them at work while others compute. A [`Mirror`] is for whoever works with paths of this machine: a copy of
//! what is in object storage, for a while.

mod beside;
mod error;
mod folder;
mod listed;
mod mirror;
mod name;
mod object;
mod place;
#[cfg(feature = "s3")]
mod s3;
#[cfg(not(feature = "s3"))]
#[path = "without_s3.rs"]
mod s3;
mod url;

pub use beside::{Beside, beside};
pub use error::PlaceError;
pub use listed::Listed;
pub use mirror::Mirror;
pub use object::Object;
pub use place::Place;
pub use url::{is_object_url, split_object_url};
