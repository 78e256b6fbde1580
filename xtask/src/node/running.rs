//! A node that runs.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use super::http;

/// A port of this machine that was free a moment ago.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").into_diagnostic()?;
    Ok(listener.local_addr().into_diagnostic()?.port())
}

/// A node; killed (-9) when dropped.
pub struct Node {
    child: Child,
    http: String,
    started: Instant,
    listening: Duration,
}

impl Node {
    /// Starts a node whose data is `folder/node`, and waits until it listens. `config` says at which port
    /// it takes images; HTTP gets a free port. The log is added to `folder/node.log`.
    pub fn start(program: &Path, folder: &Path, config: &str) -> Result<Self> {
        let file = folder.join("hemora.toml");
        std::fs::write(
            &file,
            format!("{config}\n[http]\nlisten = \"127.0.0.1:0\"\nlogin = false\n"),
        )
        .into_diagnostic()
        .wrap_err("cannot write the configuration")?;
        let log = OpenOptions::new().create(true).append(true).open(folder.join("node.log"));
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(&file).arg("--data").arg(folder.join("node"));
        // The engine that is built in, so that figures do not depend on what else is installed.
        command.env("HEMORA_ONNXRUNTIME", "off");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.into_diagnostic()?);
        let started = Instant::now();
        let mut child = command.spawn().into_diagnostic().wrap_err("cannot start the node")?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut node = Self { child, http: String::new(), started, listening: Duration::ZERO };
        let list = lines.by_ref().map_while(std::result::Result::ok).find_map(|line| {
            let address = line.strip_prefix("list:")?.trim().strip_prefix("http://")?;
            Some(address.trim_end_matches('/').to_owned())
        });
        node.listening = started.elapsed();
        node.http = list.ok_or_else(|| {
            miette!("the node did not start; {} says why", folder.join("node.log").display())
        })?;
        // Nobody reads what else it prints, and a full pipe would hold it up.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(node)
    }

    /// The address of its pages.
    pub fn origin(&self) -> String {
        format!("http://{}", self.http)
    }

    /// From its start until it listened.
    pub fn listening(&self) -> Duration {
        self.listening
    }

    /// From its start until `/ready` says that it takes and scores images.
    pub fn ready(&self, longest: Duration) -> Result<Duration> {
        while self.started.elapsed() < longest {
            if http::ask(&self.http, "/ready")?.0 == 200 {
                return Ok(self.started.elapsed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(miette!("the node was not ready within {} s", longest.as_secs()))
    }

    /// The most memory that it has had at once, KiB.
    pub fn peak_memory(&self) -> Result<u64> {
        peak_memory(self.child.id())
    }

    /// A figure of `/metrics`.
    pub fn metric(&self, name: &str) -> Result<f64> {
        let (_, text) = http::ask(&self.http, "/metrics")?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.ok_or_else(|| miette!("the node has no figure {name}"))
    }

    /// What the API answers.
    pub fn get(&self, path: &str) -> Result<Value> {
        http::get(&self.http, path)
    }

    /// Ends it as a service manager does.
    pub fn terminate(mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status().into_diagnostic()?;
        let status = self.child.wait().into_diagnostic()?;
        if status.success() { Ok(()) } else { Err(miette!("the node ended with {status}")) }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory that a process has had at once, KiB.
pub fn peak_memory(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).into_diagnostic()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    number.ok_or_else(|| miette!("process {process} does not say how much memory it has had"))
}
