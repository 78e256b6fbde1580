//! What a node hears of the others and says of itself, on a connection of its own: changes of the list, that
//! it lives, and what the clock of the server says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::Utc;
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;

use super::Server;
use super::session::{CHANNEL, failed};
use crate::StoreError;
use crate::changes::Changes;
use crate::time::millis;

/// How long one wait for others takes.
const LISTEN: Duration = Duration::from_millis(100);

/// Between two signs of life.
const SIGN: Duration = Duration::from_secs(3);

/// How long a connection that was lost waits for the next.
const AGAIN: Duration = Duration::from_secs(1);

/// Two clocks that differ by less are held to be one: asking takes time, too.
const CLOSE: i64 = 1000;

/// The thread that listens.
#[derive(Debug)]
pub(crate) struct Watch {
    heard: Arc<Heard>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Heard {
    stop: AtomicBool,
    /// Milliseconds by which the server's clock is ahead of ours.
    ahead: AtomicI64,
}

impl Watch {
    /// Says that the node lives, and starts the thread.
    pub(crate) fn start(server: Server, changes: Arc<Changes>) -> Result<Self, StoreError> {
        let heard = Arc::new(Heard::default());
        let mut client = begin(&server)?;
        sign(&mut client, &server, &heard)?;
        let thread = std::thread::Builder::new().name("hemora-watch".to_owned());
        let of_thread = Arc::clone(&heard);
        let thread = thread
            .spawn(move || run(client, &server, &changes, &of_thread))
            .map_err(|error| StoreError::io("the thread that listens".as_ref(), error))?;
        Ok(Self { heard, thread: Some(thread) })
    }

    /// Milliseconds by which the server's clock is ahead of ours.
    pub(crate) fn ahead(&self) -> i64 {
        self.heard.ahead.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.heard.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn begin(server: &Server) -> Result<Client, StoreError> {
    let mut client = server.client()?;
    client.batch_execute(&format!("LISTEN {CHANNEL}")).map_err(failed)?;
    Ok(client)
}

fn run(client: Client, server: &Server, changes: &Changes, heard: &Heard) {
    let mut connected = Some(client);
    while !heard.stop.load(Ordering::Relaxed) {
        let listened = match connected.take() {
            Some(client) => listen(client, server, changes, heard),
            None => begin(server).and_then(|client| {
                // What was said meanwhile was not heard.
                changes.note();
                listen(client, server, changes, heard)
            }),
        };
        if listened.is_err() {
            // Others of the node's connections say what is wrong; this one only tries again.
            let until = Instant::now() + AGAIN;
            while Instant::now() < until && !heard.stop.load(Ordering::Relaxed) {
                std::thread::sleep(LISTEN);
            }
        }
    }
}

/// Listens until the node ends or the connection is lost.
fn listen(
    mut client: Client,
    server: &Server,
    changes: &Changes,
    heard: &Heard,
) -> Result<(), StoreError> {
    sign(&mut client, server, heard)?;
    let mut signed = Instant::now();
    while !heard.stop.load(Ordering::Relaxed) {
        let mut notifications = client.notifications();
        let mut waiting = notifications.timeout_iter(LISTEN);
        let mut changed = false;
        while let Some(said) = waiting.next().map_err(failed)? {
            changed |= said.payload() != server.instance;
            // The rest that is there already, without waiting for more.
            if changed {
                break;
            }
        }
        drop(waiting);
        drop(notifications);
        if changed {
            changes.note();
        }
        if client.is_closed() {
            return Err(StoreError::Closed);
        }
        if signed.elapsed() >= SIGN {
            sign(&mut client, server, heard)?;
            signed = Instant::now();
        }
    }
    Ok(())
}

/// Says that the node lives, and looks at the server's clock.
fn sign(client: &mut Client, server: &Server, heard: &Heard) -> Result<(), StoreError> {
    let sql = "INSERT INTO node (name, seen_at)
         VALUES ($1, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT))
         ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at RETURNING seen_at";
    let row = client.query_one(sql, &[&server.node]).map_err(failed)?;
    let there: i64 = row.try_get(0).map_err(failed)?;
    let ahead = there - millis(Utc::now());
    let ahead = if ahead.abs() < CLOSE { 0 } else { ahead };
    heard.ahead.store(ahead, Ordering::Relaxed);
    Ok(())
}
