//! The pixels of a study: slices as HU and as pictures, and series as volumes.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use hemora_ct::{Slice, Window};
use hemora_report::grey_png;
use hemora_store::NewAudit;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::warn;

use super::Node;
use super::answer::{Refused, waiting};
use super::bodies::{is_here, of_type, packed, takes_gzip};
use super::view::{WhichRevision, gone, kept_of};
use crate::access::Asker;
use crate::looks::{Look, note_look};
use crate::shared::Shared;
use crate::view::{HuImage, NewHuVolume, NoImage, read, reduced};

const ROWS: HeaderName = HeaderName::from_static("hemora-rows");
const COLUMNS: HeaderName = HeaderName::from_static("hemora-columns");

/// Sides to which a slice can be reduced, pixels.
const SIDES: std::ops::RangeInclusive<usize> = 16..=1024;

/// Bytes of a volume that are sent together.
const CHUNK: usize = 256 << 10;

/// How long whoever fetches a volume may leave a part of it unread.
const PATIENCE: Duration = Duration::from_secs(60);

/// Windows by name. The stroke window is that of readers, not that of networks.
const WINDOWS: [(&str, Window); 5] = [
    ("brain", Window::BRAIN),
    ("subdural", Window::SUBDURAL),
    ("stroke", Window::STROKE_READING),
    ("bone", Window::BONE),
    ("soft", Window::SOFT),
];

/// Which pixels.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WhichPixels {
    revision: Option<u32>,
    side: Option<usize>,
}

/// Which picture.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WhichPicture {
    revision: Option<u32>,
    window: Option<String>,
}

type Place = (String, usize, usize);

/// Waits for its turn, so that many requests at once do not take the memory of as many images.
async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refused> {
    let closed = |_| Refused::new(StatusCode::SERVICE_UNAVAILABLE, "the node ends");
    Arc::clone(of).acquire_owned().await.map_err(closed)
}

/// Reads a slice of a view, upright.
fn upright(
    node: &Shared,
    asker: &Asker,
    (uid, series, slice): &Place,
    revision: Option<u32>,
) -> Result<Slice, Refused> {
    let (revision, view) = kept_of(node, uid, revision)?;
    let Some((of, image)) = view.slice(*series, *slice) else {
        let error = format!(
            "revision {revision} of the study {uid} has no slice {slice} of series {series}"
        );
        return Err(Refused::not_found(error));
    };
    note_look(node, asker, uid, revision, Look::Part("images"))?;
    let name = &of.shown.slices[*slice].sop_instance_uid;
    match read(&node.images.reader, node.store.folder(), image, name) {
        Ok(slice) => Ok(slice.into_upright()),
        Err(problem) => Err(no_image(uid, &problem)),
    }
}

fn no_image(uid: &str, problem: &NoImage) -> Refused {
    match problem {
        NoImage::Gone => gone(uid),
        NoImage::Broken(error) => {
            let error =
                format!("an image of the study {uid} cannot be read: {error}; send it again");
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error)
        }
    }
}

/// The pixels of a slice.
pub(super) async fn pixels(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(place): Path<Place>,
    which: Result<Query<WhichPixels>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let Query(WhichPixels { revision, side }) = which?;
    if let Some(side) = side.filter(|side| !SIDES.contains(side)) {
        let (low, high) = (SIDES.start(), SIDES.end());
        return Err(Refused::bad(format!("side is {side}; {low} to {high} can be asked for")));
    }
    let permit = turn(&node.images.decoding).await?;
    waiting(move || {
        let _permit = permit;
        let slice = upright(&node, &asker, &place, revision)?;
        let image = match side {
            Some(side) => reduced(&slice, side),
            None => HuImage::new(&slice),
        };
        drop(slice);
        let media = "application/octet-stream";
        let gzip = takes_gzip(&headers) && !is_here(&headers, peer);
        let mut response = packed(media, image.bytes(), gzip)?;
        let headers = response.headers_mut();
        headers.insert(ROWS, HeaderValue::from(image.rows));
        headers.insert(COLUMNS, HeaderValue::from(image.columns));
        Ok(response)
    })
    .await
}

/// A slice as a picture.
pub(super) async fn picture(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path(place): Path<Place>,
    which: Result<Query<WhichPicture>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(WhichPicture { revision, window }) = which?;
    let name = window.as_deref().unwrap_or(WINDOWS[0].0);
    let Some((_, window)) = WINDOWS.into_iter().find(|(known, _)| *known == name) else {
        let all = WINDOWS.map(|(name, _)| name).join(", ");
        return Err(Refused::bad(format!("there is no window {name:?}; there are {all}")));
    };
    let permit = turn(&node.images.decoding).await?;
    waiting(move || {
        let _permit = permit;
        let slice = upright(&node, &asker, &place, revision)?;
        let failed = |error: hemora_report::ReportError| {
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        };
        Ok(of_type("image/png", grey_png(&slice, window).map_err(failed)?))
    })
    .await
}

/// A series as a volume.
pub(super) async fn volume(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path((uid, series)): Path<(String, usize)>,
    which: Result<Query<WhichRevision>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(WhichRevision { revision }) = which?;
    let permit = turn(&node.images.writing).await?;
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(2);
    let begin = {
        let node = Arc::clone(&node);
        move || begin_volume(&node, &asker, &uid, series, revision).map(|volume| (volume, uid))
    };
    let (volume, uid) = waiting(begin).await?;
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let mut chunks = Chunks { sender, runtime, next: Vec::with_capacity(CHUNK) };
        let written = volume.write(&node.images.reader, node.store.folder(), &mut chunks);
        if let Err(error) = written.and_then(|()| chunks.flush()) {
            warn!(study = uid, %error, "a volume is not sent to its end");
            // An end that is none would look like a whole volume.
            let _ = chunks.send(Err(error));
        }
    });
    let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/gzip")),
        // No name of the patient, and none that is made of what a file says.
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"volume.nii.gz\"")),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// Looks whether a volume can be written, and notes that it is.
fn begin_volume(
    node: &Shared,
    asker: &Asker,
    uid: &str,
    series: usize,
    revision: Option<u32>,
) -> Result<NewHuVolume, Refused> {
    let (revision, view) = kept_of(node, uid, revision)?;
    let Some(of) = view.series.get(series) else {
        let error = format!("revision {revision} of the study {uid} has no series {series}");
        return Err(Refused::not_found(error));
    };
    let refused = |error| {
        let error = format!("series {series} makes no volume: {error}");
        Refused::new(StatusCode::CONFLICT, error)
    };
    let volume = NewHuVolume::new(of).map_err(refused)?;
    if !volume.is_there(node.store.folder()) {
        return Err(gone(uid));
    }
    let detail = format!("series {series} of revision {revision} as a volume");
    let row = NewAudit { who: &asker.name, what: "exported", study: Some(uid), detail: &detail };
    node.store.audit(row, Utc::now())?;
    Ok(volume)
}

/// Sends what is written in parts, and waits until they are taken.
struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
    runtime: tokio::runtime::Handle,
    next: Vec<u8>,
}

impl Chunks {
    fn send(&self, chunk: io::Result<Bytes>) -> io::Result<()> {
        let sent = async { tokio::time::timeout(PATIENCE, self.sender.send(chunk)).await };
        match self.runtime.block_on(sent) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => {
                Err(io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads it any more"))
            }
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it is not read")),
        }
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.next.len());
        self.next.extend_from_slice(&bytes[..taken]);
        if self.next.len() == CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.next.is_empty() {
            true => Ok(()),
            false => {
                let chunk = std::mem::replace(&mut self.next, Vec::with_capacity(CHUNK));
                self.send(Ok(chunk.into()))
            }
        }
    }
}
