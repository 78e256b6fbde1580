//! The archive that results go to: pynetdicom, in a program of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde::Deserialize;

use crate::workspace::Workspace;

/// An object that came.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Object {
    /// StudyInstanceUID.
    pub study: String,
    /// SOPClassUID.
    pub class: String,
    /// SOPInstanceUID.
    pub sop: String,
    /// SHA-256 of the data set.
    pub sha256: String,
}

/// A running archive; killed when dropped.
pub struct Archive {
    child: Child,
    port: u16,
    objects: Arc<Mutex<Vec<Object>>>,
}

impl Archive {
    /// Starts it at a free port of this machine.
    pub fn start(workspace: &Workspace) -> Result<Self> {
        let mut command = Command::new(workspace.peers_python());
        command.arg(workspace.root().join("tools").join("soak_archive.py"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().into_diagnostic().wrap_err("cannot start the archive")?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let first = lines.next().and_then(std::result::Result::ok).unwrap_or_default();
        let objects: Arc<Mutex<Vec<Object>>> = Arc::default();
        let kept = Arc::clone(&objects);
        std::thread::spawn(move || {
            for line in lines.map_while(std::result::Result::ok) {
                if let Ok(object) = serde_json::from_str(&line) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(object);
                }
            }
        });
        let port = first.trim().parse();
        let archive = Self { child, port: port.as_ref().copied().unwrap_or_default(), objects };
        port.map(|_| archive).map_err(|_| miette!("the archive did not start: {first}"))
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Everything that came, in its order.
    pub fn objects(&self) -> Vec<Object> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
