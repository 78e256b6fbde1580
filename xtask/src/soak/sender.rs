//! Four modalities: dcmtk's storescu, started again for what was not acknowledged.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::files::Image;
use crate::process::log;

const SENDERS: usize = 4;

/// Images that one association is to send.
const OF_ASSOCIATION: usize = 200;

/// Before a sender calls again whose association broke.
const AGAIN: Duration = Duration::from_millis(100);

/// Senders at work.
pub struct Senders(Arc<Counts>);

#[derive(Default)]
struct Counts {
    acknowledged: AtomicUsize,
    broken: AtomicUsize,
    refused: AtomicUsize,
}

impl Senders {
    /// Starts them; they end when everything is acknowledged, or at `end`.
    pub fn start(images: &[Image], port: u16, end: Instant) -> Self {
        let counts: Arc<Counts> = Arc::default();
        for sender in 0..SENDERS {
            // Each study is sent by all of them at once.
            let part = images.iter().skip(sender).step_by(SENDERS);
            let part: Vec<PathBuf> = part.map(|image| image.path.clone()).collect();
            let counts = Arc::clone(&counts);
            std::thread::spawn(move || send(&part, port, end, &counts));
        }
        Self(counts)
    }

    /// How many images are acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.0.acknowledged.load(Ordering::Relaxed)
    }

    /// How many associations did not come about or broke.
    pub fn broken(&self) -> usize {
        self.0.broken.load(Ordering::Relaxed)
    }

    /// How many images were answered with something other than success.
    pub fn refused(&self) -> usize {
        self.0.refused.load(Ordering::Relaxed)
    }
}

fn send(images: &[PathBuf], port: u16, end: Instant, counts: &Counts) {
    let mut first = 0;
    while first < images.len() && Instant::now() < end {
        let last = images.len().min(first + OF_ASSOCIATION);
        match associate(&images[first..last], port, counts) {
            Ok(acknowledged) => {
                first += acknowledged;
                if first < last {
                    counts.broken.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(AGAIN);
                }
            }
            Err(error) => return log(format!("a sender ends: storescu: {error}")),
        }
    }
}

/// Sends over one association until it breaks; how many images were acknowledged. storescu sends in the
/// order of its arguments and ends at the first that is not acknowledged.
fn associate(images: &[PathBuf], port: u16, counts: &Counts) -> std::io::Result<usize> {
    let mut storescu = Command::new("storescu");
    storescu.args(["-v", "-aec", "HEMORA", "127.0.0.1", &port.to_string()]).args(images);
    storescu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = storescu.spawn()?;
    let lines = child.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
    let (mut acknowledged, mut sent) = (0, None);
    for line in lines.map_while(Result::ok) {
        if let Some(path) = line.strip_prefix("I: Sending file: ") {
            sent = Some(path.to_owned());
        } else if line == "I: Received Store Response (Success)" {
            let expected = images.get(acknowledged).map(PathBuf::as_path);
            assert_eq!(sent.as_deref().map(Path::new), expected, "storescu keeps the order");
            acknowledged += 1;
            counts.acknowledged.fetch_add(1, Ordering::Relaxed);
        } else if line.contains("Received Store Response") {
            counts.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
    child.wait()?;
    Ok(acknowledged)
}
