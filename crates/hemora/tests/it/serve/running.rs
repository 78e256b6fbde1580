//! A node that runs, as the binary.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Looks until there is what is wanted.
pub fn wait_for<T, E: std::fmt::Debug>(
    what: &str,
    longest: Duration,
    look: impl Fn() -> Result<T, E>,
) -> T {
    let end = Instant::now() + longest;
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) if Instant::now() > end => panic!("not {what}: {last:?}"),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// Runs a program on an input; what it says where it fails.
pub fn pipe(program: &Path, arguments: &[&str], input: &[u8]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    child.stdin.take().unwrap().write_all(input).map_err(|error| error.to_string())?;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = [output.stdout, output.stderr].concat();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&said).into_owned()),
    }
}

/// A node; killed when dropped.
pub struct Running {
    child: Child,
    /// Address of HTTP.
    pub http: String,
}

impl Running {
    /// Starts a node on `folder/node`; ports that the configuration does not name are free ones.
    pub fn start(folder: &Path, config: &str) -> Self {
        Self::start_named(folder, "hemora", config)
    }

    /// As [`Running::start`], with the configuration in a file of this name.
    pub fn start_named(folder: &Path, name: &str, config: &str) -> Self {
        let file = folder.join(format!("{name}.toml"));
        std::fs::write(
            &file,
            format!("{config}\n[http]\nlisten = \"127.0.0.1:0\"\nlogin = false\n"),
        )
        .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
        command.arg("serve").arg("--config").arg(&file).arg("--data").arg(folder.join("node"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.next().expect("the node prints where it listens").unwrap();
            let rest = line.strip_prefix(name).unwrap_or_else(|| panic!("{line}")).trim();
            rest.split(' ').next().unwrap_or_default().to_owned()
        };
        address("DICOM:");
        let http = address("list:").trim_start_matches("http://").trim_end_matches('/').to_owned();
        // Nobody reads what else it prints, and a full pipe would hold it up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, http }
    }

    /// What the node answers.
    pub fn get(&self, path: &str) -> Value {
        let mut response = ureq::get(format!("http://{}{path}", self.http)).call().unwrap();
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// Stops the node in its steps; it goes on again unless it is at work on something.
    #[cfg(feature = "postgres")]
    pub fn stops_with(&self, at_work: &dyn Fn() -> String) -> bool {
        let signal = |name: &str| {
            let id = self.child.id().to_string();
            assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
        };
        signal("-STOP");
        // What it had under way to the database is there then.
        std::thread::sleep(Duration::from_millis(100));
        let stopped = !at_work().is_empty();
        if !stopped {
            signal("-CONT");
        }
        stopped
    }

    /// Ends the node at once (-9).
    #[cfg(feature = "postgres")]
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends the node as a service manager does; its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
