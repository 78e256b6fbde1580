//! Local files to objects, in parts.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::task::JoinSet;

use super::failure::Failure;

/// Bytes of a part; a smaller file is sent as one.
pub(super) const PART: u64 = 8 << 20;
/// Most parts of an upload.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST_PARTS: u64 = 10_000;
/// Parts that are sent at the same time.
const AT_WORK: usize = 4;

/// Sends a file. The object is there when all parts are, and not before.
pub(super) async fn upload(store: &AmazonS3, key: &Key, from: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::File(from.to_owned(), error);
    let mut file = File::open(from).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size <= PART {
        let bytes = next_part(&mut file, PART).map_err(failed)?;
        if bytes.len() as u64 != size {
            return Err(Failure::Changed);
        }
        store.put(key, PutPayload::from(bytes)).await?;
        return Ok(());
    }
    let mut upload = store.put_multipart(key).await?;
    let sent = send_parts(&mut *upload, &mut file, from, size).await;
    let done = match sent {
        Ok(()) => upload.complete().await.map(|_| ()).map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    if done.is_err() {
        // What it fails with says nothing that the user could use: the parts stay unseen.
        let _ = upload.abort().await;
    }
    done
}

async fn send_parts(
    upload: &mut dyn MultipartUpload,
    file: &mut File,
    from: &Path,
    size: u64,
) -> Result<(), Failure> {
    // All parts but the last have one size, which some servers ask for.
    let part = PART.max(size.div_ceil(MOST_PARTS));
    let mut sending = JoinSet::new();
    let mut left = size;
    while left > 0 {
        let bytes = next_part(file, part.min(left))
            .map_err(|error| Failure::File(from.to_owned(), error))?;
        if bytes.len() as u64 != part.min(left) {
            return Err(Failure::Changed);
        }
        left -= bytes.len() as u64;
        if sending.len() == AT_WORK {
            finish_one(&mut sending).await?;
        }
        sending.spawn(upload.put_part(PutPayload::from(bytes)));
    }
    while !sending.is_empty() {
        finish_one(&mut sending).await?;
    }
    Ok(())
}

async fn finish_one(sending: &mut JoinSet<object_store::Result<()>>) -> Result<(), Failure> {
    match sending.join_next().await {
        None | Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(error.into()),
        Some(Err(error)) => Err(object_store::Error::from(error).into()),
    }
}

/// The next `bytes` bytes of a file, or what is left of it.
fn next_part(file: &mut File, bytes: u64) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(bytes).read_to_end(&mut part)?;
    Ok(part)
}
