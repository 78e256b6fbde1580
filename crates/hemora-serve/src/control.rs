//! Requests to the data folder: to the node that runs on it, by a socket in what the node has of it for itself
//! that only its owner may use, or else directly.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use hemora_store::{AuditError, BackedUp, BackupImages, Forgotten, Restored, Store, StoreError};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::config::Config;
use crate::opening;
use crate::shared::Shared;

/// Name of the socket in the data folder.
const SOCKET: &str = "control.sock";

/// Longest request or answer, bytes.
const LONGEST: u64 = 64 << 10;

/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks for a request.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit is not what was written.
    #[error("{0}")]
    Audit(String),
    /// There is no data folder.
    #[error("{}: no node has its data there; name the folder with --data, or the configuration with --config", .0.display())]
    NoNode(PathBuf),
    /// The database is a server's.
    #[error("a database that several nodes share is restored by its server (`pg_restore`); then copy `studies` and `database` of the backup into {}", .0.display())]
    SharedDatabase(PathBuf),
    /// The node refuses.
    #[error("the node says: {0}")]
    Node(String),
    /// The node does not answer.
    #[error("the node does not answer at {}: {problem}", socket.display())]
    Silent {
        /// Its socket.
        socket: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Forget { patient_id: String, who: String },
    Backup { folder: PathBuf, copies: bool },
    VerifyAudit,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Forgotten { studies: u64, instances: u64 },
    Backup { database_left: Option<String> },
    Audit { rows: u64, problem: Option<String> },
    Error(String),
}

/// Removes everything of a patient but the audit, which notes that it was done.
///
/// # Errors
/// [`ControlError`] if the data folder or its node do not do it.
pub fn forget(config: &Config, patient_id: &str, who: &str) -> Result<Forgotten, ControlError> {
    let request = Request::Forget { patient_id: patient_id.to_owned(), who: who.to_owned() };
    match ask(config, &request)? {
        Answer::Forgotten { studies, instances } => Ok(Forgotten { studies, instances }),
        other => Err(unexpected(other)),
    }
}

/// Writes a backup into a folder, which must be new or empty: the database, unless several nodes share it, and
/// the images or a list of them with their hashes.
///
/// # Errors
/// [`ControlError`] if the data folder or its node do not do it.
pub fn backup(config: &Config, folder: &Path, copies: bool) -> Result<BackedUp, ControlError> {
    // The node has another current folder.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    match ask(config, &Request::Backup { folder, copies })? {
        Answer::Backup { database_left } => Ok(BackedUp { database_left }),
        other => Err(unexpected(other)),
    }
}

/// Checks the chain of the audit; how many rows there are.
///
/// # Errors
/// [`ControlError::Audit`] names the first row that is not what was written; others if the data folder or its
/// node do not say.
pub fn verify_audit(config: &Config) -> Result<u64, ControlError> {
    match ask(config, &Request::VerifyAudit)? {
        Answer::Audit { rows, problem: None } => Ok(rows),
        Answer::Audit { problem: Some(problem), .. } => Err(ControlError::Audit(problem)),
        other => Err(unexpected(other)),
    }
}

/// Makes the data folder of the configuration from a backup. No node may run on it.
///
/// # Errors
/// [`ControlError::Store`] if the backup is not whole or the folder holds a database already,
/// [`ControlError::SharedDatabase`] where several nodes share one.
pub fn restore(config: &Config, backup: &Path) -> Result<Restored, ControlError> {
    if config.database.is_shared() {
        return Err(ControlError::SharedDatabase(config.node.data.clone()));
    }
    Ok(Store::restore(backup, &config.node.data)?)
}

fn unexpected(answer: Answer) -> ControlError {
    match answer {
        Answer::Error(problem) => ControlError::Node(problem),
        other => ControlError::Node(format!("it answered {other:?}")),
    }
}

/// Asks the node that runs on the data folder, or does it if none does.
fn ask(config: &Config, request: &Request) -> Result<Answer, ControlError> {
    let socket = config.own_folder().join(SOCKET);
    if let Ok(mut stream) = UnixStream::connect(&socket) {
        let silent = |error: std::io::Error| ControlError::Silent {
            socket: socket.clone(),
            problem: error.to_string(),
        };
        let mut line = serde_json::to_vec(request).map_err(|it| silent(it.into()))?;
        line.push(b'\n');
        stream.write_all(&line).map_err(silent)?;
        let mut answer = String::new();
        BufReader::new(stream).take(LONGEST).read_line(&mut answer).map_err(silent)?;
        return serde_json::from_str(&answer).map_err(|it| silent(it.into()));
    }
    // Opening makes what is missing: a folder that was mistyped would be a node's of which nothing is known.
    if !Store::is_at(&config.node.data) {
        return Err(ControlError::NoNode(config.node.data.clone()));
    }
    let store = opening::open(config)?;
    Ok(answer(&store, request)?)
}

fn answer(store: &Store, request: &Request) -> Result<Answer, StoreError> {
    match request {
        Request::Forget { patient_id, who } => {
            let Forgotten { studies, instances } = store.forget(patient_id, who, Utc::now())?;
            Ok(Answer::Forgotten { studies, instances })
        }
        Request::Backup { folder, copies } => {
            let images = if *copies { BackupImages::Copies } else { BackupImages::Manifest };
            let BackedUp { database_left } = store.backup(folder, images)?;
            Ok(Answer::Backup { database_left })
        }
        Request::VerifyAudit => match store.verify_audit() {
            Ok(rows) => Ok(Answer::Audit { rows, problem: None }),
            Err(error @ AuditError::Changed { row }) => {
                let rows = u64::try_from(row - 1).unwrap_or_default();
                Ok(Answer::Audit { rows, problem: Some(error.to_string()) })
            }
            Err(AuditError::Store(error)) => Err(error),
        },
    }
}

/// Listens in the data folder, whose lock the caller holds.
pub(crate) fn listen(folder: &Path) -> Result<UnixListener, String> {
    let path = folder.join(SOCKET);
    let problem = |error: std::io::Error| format!("{}: {error}", path.display());
    // A node that was killed leaves its socket.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(problem(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(problem)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(problem)?;
    listener.set_nonblocking(true).map_err(problem)?;
    Ok(listener)
}

/// Answers until the node ends, one request at a time.
pub(crate) fn run(shared: &Arc<Shared>, listener: &UnixListener) {
    while shared.stop.sleep(LOOK_EVERY) {
        while let Ok((stream, _)) = listener.accept() {
            if let Err(problem) = one(shared, stream) {
                warn!(%problem, "a request to the data folder failed");
            }
        }
    }
    let _ = std::fs::remove_file(shared.config.own_folder().join(SOCKET));
}

fn one(shared: &Shared, mut stream: UnixStream) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).take(LONGEST).read_line(&mut line)?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => {
            let done = answer(&shared.store, &request);
            info!(done = done.is_ok(), "a request to the data folder");
            done.unwrap_or_else(|error| Answer::Error(error.to_string()))
        }
        Err(error) => Answer::Error(format!("the request is not understood: {error}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    stream.write_all(&line)
}
