//! A prefix of a bucket, and what is done below it.

use std::collections::HashSet;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use hemora_base::write_whole;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};

use super::Pieces;
use super::bucket::Bucket;
use super::failure::Failure;
use super::upload::upload;
use super::variables::Variables;
use crate::{Listed, PlaceError, split_object_url};

/// A prefix of a bucket; empty for all of it. Names are checked before they come here.
#[derive(Debug, Clone)]
pub(crate) struct Prefix {
    bucket: Arc<Bucket>,
    prefix: String,
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url(""))
    }
}

impl Prefix {
    pub(crate) fn parse(text: &str) -> Result<Self, PlaceError> {
        let (bucket, prefix) = split_object_url(text)?;
        Ok(Self { bucket: Bucket::of_environment(bucket)?, prefix: prefix.to_owned() })
    }

    pub(crate) fn with_variables(
        text: &str,
        variables: &[(String, String)],
    ) -> Result<Self, PlaceError> {
        let (bucket, prefix) = split_object_url(text)?;
        let bucket = Bucket::new(bucket, Variables::new(variables.iter().cloned()))?;
        Ok(Self { bucket: Arc::new(bucket), prefix: prefix.to_owned() })
    }

    pub(crate) fn below(&self, name: &str) -> Self {
        Self { bucket: Arc::clone(&self.bucket), prefix: self.key_text(name) }
    }

    /// The key of a name; that of the prefix for none.
    fn key_text(&self, name: &str) -> String {
        match (self.prefix.as_str(), name) {
            ("", name) => name.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, name) => format!("{prefix}/{name}"),
        }
    }

    fn key(&self, name: &str) -> Result<Key, PlaceError> {
        let text = self.key_text(name);
        Key::parse(&text).map_err(|_| PlaceError::BadName {
            name: text,
            reason: "object storage takes no such key",
        })
    }

    pub(crate) fn url(&self, name: &str) -> String {
        match self.key_text(name).as_str() {
            "" => format!("s3://{}", self.bucket.name),
            key => format!("s3://{}/{key}", self.bucket.name),
        }
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PlaceError> {
        let (key, payload) = (self.key(name)?, PutPayload::from(bytes.to_vec()));
        self.bucket.wait(&self.url(name), async {
            self.bucket.store.put(&key, payload).await?;
            Ok(())
        })
    }

    pub(crate) fn write_file(&self, name: &str, from: &Path) -> Result<(), PlaceError> {
        let key = self.key(name)?;
        self.bucket.wait(&self.url(name), upload(&self.bucket.store, &key, from))
    }

    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, PlaceError> {
        let key = self.key(name)?;
        self.bucket.wait(&self.url(name), async {
            let answer = match if_there(self.bucket.store.get(&key).await)? {
                Some(answer) if answer.meta.size > limit => {
                    return Err(Failure::TooLarge { size: answer.meta.size, limit });
                }
                Some(answer) => answer,
                None => return Ok(None),
            };
            let size = answer.meta.size;
            let mut bytes = Vec::with_capacity(size as usize);
            let mut stream = answer.into_stream();
            while let Some(piece) = stream.try_next().await? {
                if piece.len() as u64 > size - bytes.len() as u64 {
                    return Err(Failure::Changed);
                }
                bytes.extend_from_slice(&piece);
            }
            if bytes.len() as u64 == size { Ok(Some(bytes)) } else { Err(Failure::Changed) }
        })
    }

    pub(crate) fn fetch(&self, name: &str, to: &Path) -> Result<bool, PlaceError> {
        let key = self.key(name)?;
        // Whether it is there is known before the local file is made.
        let answer = self
            .bucket
            .wait(&self.url(name), async { if_there(self.bucket.store.get(&key).await) })?;
        let Some(answer) = answer else { return Ok(false) };
        let size = answer.meta.size;
        let fetched = write_whole(to, |file| {
            self.bucket.wait(&self.url(name), async {
                let (mut stream, mut written) = (answer.into_stream(), 0);
                while let Some(piece) = stream.try_next().await? {
                    let wrote = file.write_all(&piece);
                    wrote.map_err(|error| Failure::File(to.to_owned(), error))?;
                    written += piece.len() as u64;
                }
                if written == size { Ok(()) } else { Err(Failure::Changed) }
            })?;
            Ok(())
        });
        fetched.map(|()| true).map_err(|failed: FetchError| match failed {
            FetchError::Place(error) => error,
            FetchError::File(error) => PlaceError::File { path: to.to_owned(), error },
        })
    }

    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<Listed>, PlaceError> {
        let key = self.key(prefix)?;
        let url = self.url(prefix);
        let mut listed = self.bucket.wait(&url, async {
            let found = self.bucket.store.list(Some(&key));
            let entries = found.map(|meta| meta.map(|meta| self.entry_of(meta)));
            Ok(entries.try_collect::<Vec<_>>().await?)
        })?;
        leave_markers_out(&mut listed);
        Ok(listed)
    }

    pub(crate) fn look_up(&self, name: &str) -> Result<Option<Listed>, PlaceError> {
        let key = self.key(name)?;
        let meta = self
            .bucket
            .wait(&self.url(name), async { if_there(self.bucket.store.head(&key).await) })?;
        Ok(meta.map(|meta| self.entry_of(meta)))
    }

    pub(crate) fn open(&self, name: &str, first: usize) -> Result<Option<Pieces>, PlaceError> {
        Pieces::open(Arc::clone(&self.bucket), self.key(name)?, self.url(name), first)
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), PlaceError> {
        let key = self.key(name)?;
        self.bucket.wait(&self.url(name), async {
            if_there(self.bucket.store.delete(&key).await)?;
            Ok(())
        })
    }

    fn entry_of(&self, meta: ObjectMeta) -> Listed {
        let key = meta.location.as_ref();
        let below = key.strip_prefix(self.prefix.as_str()).unwrap_or(key);
        Listed {
            name: below.trim_start_matches('/').to_owned(),
            size: meta.size,
            modified: Some(meta.last_modified.into()),
            version: meta.e_tag,
        }
    }
}

/// `None` where there is no object.
fn if_there<T>(result: object_store::Result<T>) -> Result<Option<T>, Failure> {
    match result.map_err(Failure::from) {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.is_absence() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Tools that show buckets as folders put an empty object for each; it is called as the folder is.
fn leave_markers_out(listed: &mut Vec<Listed>) {
    let mut folders: HashSet<String> = HashSet::new();
    for entry in listed.iter() {
        let mut name = entry.name.as_str();
        while let Some((folder, _)) = name.rsplit_once('/') {
            if !folders.insert(folder.to_owned()) {
                break;
            }
            name = folder;
        }
    }
    listed.retain(|entry| {
        entry.size > 0 || !(entry.name.is_empty() || folders.contains(&entry.name))
    });
}

/// What ends a download.
enum FetchError {
    Place(PlaceError),
    File(std::io::Error),
}

impl From<PlaceError> for FetchError {
    fn from(error: PlaceError) -> Self {
        Self::Place(error)
    }
}

impl From<std::io::Error> for FetchError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}
