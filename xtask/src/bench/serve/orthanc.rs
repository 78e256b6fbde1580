//! Orthanc, as the peer and as the archive.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::{Value, json};

use super::client::Client;
use crate::node::{free_port, http, peak_memory};

/// The name as which it is called.
pub const AE: &str = "ORTHANC";

/// A program by its name; Debian's Orthanc lies where only root looks.
pub fn find(program: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(program);
    if path.is_file() { path } else { program.into() }
}

/// A running Orthanc; killed when dropped.
pub struct Orthanc {
    child: Child,
    http: String,
    port: u16,
    listening: Duration,
}

impl Orthanc {
    /// Starts one that stores into `folder`, each file on the disk before it is acknowledged, and waits
    /// until it listens. It heeds `TCP_NODELAY` as the client does: both are dcmtk.
    pub fn start(folder: &Path, client: Client) -> Result<Self> {
        Self::start_with(folder, client, &json!({}))
    }

    /// The same, with other settings.
    pub fn start_with(folder: &Path, client: Client, settings: &Value) -> Result<Self> {
        let (http, port) = (free_port()?, free_port()?);
        let storage = folder.join("orthanc");
        std::fs::create_dir_all(&storage).into_diagnostic()?;
        let mut config = json!({
            "Name": AE, "StorageDirectory": storage, "IndexDirectory": storage, "Plugins": [],
            "HttpPort": http, "DicomPort": port, "DicomAet": AE, "DicomCheckCalledAet": false,
            "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "SyncStorageArea": true,
        });
        for (name, value) in settings.as_object().into_iter().flatten() {
            config[name] = value.clone();
        }
        let file = folder.join("orthanc.json");
        std::fs::write(&file, config.to_string()).into_diagnostic()?;
        let mut command = Command::new(find("Orthanc"));
        client.apply(&mut command);
        command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let child = command.spawn().into_diagnostic().wrap_err("cannot start Orthanc")?;
        let http = format!("127.0.0.1:{http}");
        let mut orthanc = Self { child, http, port, listening: Duration::ZERO };
        while http::get(&orthanc.http, "/system").is_err() {
            if started.elapsed() > Duration::from_secs(60) {
                return Err(miette!("Orthanc did not start"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        orthanc.listening = started.elapsed();
        Ok(orthanc)
    }

    /// Where it takes images.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it answers HTTP: host and port.
    pub fn http(&self) -> &str {
        &self.http
    }

    /// From its start until it answered.
    pub fn listening(&self) -> Duration {
        self.listening
    }

    /// How many objects it has.
    pub fn instances(&self) -> Result<u64> {
        let statistics = http::get(&self.http, "/statistics")?;
        statistics["CountInstances"].as_u64().ok_or_else(|| miette!("no count: {statistics}"))
    }

    /// The most memory that it has had at once, KiB.
    pub fn peak_memory(&self) -> Result<u64> {
        peak_memory(self.child.id())
    }
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
