//! Object storage for tests: moto's S3 server, which fails when it is told to.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::python;

/// What the server runs.
const PROGRAM: &str = include_str!("object_storage.py");

/// A server with one bucket and one user. It ends with this.
#[derive(Debug)]
pub struct ObjectStorage {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    bucket: String,
    /// The address, an access key and its secret.
    started: Value,
}

impl ObjectStorage {
    /// Starts a server with a bucket; `None`, with a word, where the peers' Python is missing.
    ///
    /// # Panics
    /// If the server does not start.
    pub fn start(bucket: &str) -> Option<Self> {
        Self::start_with(&[bucket])
    }

    /// As [`start`](Self::start), with TLS: the certificate of the authority that signed the server's is
    /// `authority.pem` in `folder`.
    pub fn start_with_tls(bucket: &str, folder: &Path) -> Option<Self> {
        Self::start_with(&[bucket, folder.to_str().expect("a path of UTF-8")])
    }

    fn start_with(arguments: &[&str]) -> Option<Self> {
        let mut child = Command::new(python()?)
            .args(["-c", PROGRAM])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peers' Python runs");
        let (commands, output) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(output.expect("a pipe was asked for"));
        let bucket = arguments[0].to_owned();
        let mut server = Self { child, commands, answers, bucket, started: Value::Null };
        server.started = server.answer();
        Some(server)
    }

    /// Where it listens, such as `http://127.0.0.1:9000`.
    pub fn endpoint(&self) -> String {
        self.text("endpoint")
    }

    /// The secret of its user, which must be in no message.
    pub fn secret(&self) -> String {
        self.text("secret")
    }

    /// The variables with which a program asks it, three times each.
    pub fn variables(&self) -> Vec<(String, String)> {
        let variable = |name: &str, value: String| (name.to_owned(), value);
        vec![
            variable("AWS_ENDPOINT_URL", self.endpoint()),
            variable("AWS_ALLOW_HTTP", "true".to_owned()),
            variable("AWS_REGION", "us-east-1".to_owned()),
            variable("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            variable("AWS_MAX_ATTEMPTS", "3".to_owned()),
            variable("AWS_ACCESS_KEY_ID", self.text("key")),
            variable("AWS_SECRET_ACCESS_KEY", self.secret()),
        ]
    }

    /// The next `times` requests of a method (`*` for any) whose path and query contain `part` fail: with
    /// the status `500` or `503`, or they are `slow`, `cut` in the middle of the answer, or the connection
    /// is closed without one (`drop`).
    ///
    /// # Panics
    /// As all that ask the server: if it has ended.
    pub fn fail(&mut self, times: usize, kind: &str, method: &str, part: &str) {
        self.ask(&format!("fail {times} {kind} {method} {part}"));
    }

    /// Takes back all failures.
    pub fn heal(&mut self) {
        self.ask("heal");
    }

    /// From now on only the server's user may ask.
    pub fn check_credentials(&mut self) {
        self.ask("check-credentials");
    }

    /// The keys in the bucket.
    pub fn keys(&mut self) -> Vec<String> {
        texts(&self.ask("keys"))
    }

    /// The keys of uploads in parts that nobody finished or gave up.
    pub fn unfinished_uploads(&mut self) -> Vec<String> {
        texts(&self.ask("uploads"))
    }

    /// Puts an empty object, as tools do that show folders.
    pub fn put_empty(&mut self, key: &str) {
        self.ask(&format!("put {key}"));
    }

    /// The requests since this was last asked, `GET /path?query` each, and how many there were at the same
    /// time at most.
    pub fn requests(&mut self) -> (Vec<String>, usize) {
        let answer = self.ask("requests");
        (texts(&answer["seen"]), answer["most"].as_u64().unwrap_or_default() as usize)
    }

    /// Whether it answers requests now, of clients that are gone, too.
    pub fn is_at_work(&mut self) -> bool {
        self.ask("at-work").as_bool().unwrap_or_default()
    }

    /// The URL of a prefix of the bucket.
    pub fn url(&self, prefix: &str) -> String {
        format!("s3://{}/{prefix}", self.bucket)
    }

    fn text(&self, name: &str) -> String {
        self.started[name].as_str().expect("the server says it").to_owned()
    }

    fn ask(&mut self, command: &str) -> Value {
        let commands = self.commands.as_mut().expect("the server runs");
        writeln!(commands, "{command}").expect("the server runs");
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the server answers");
        serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!("moto's server did not start or ended; is `moto` among the peers' packages?")
        })
    }
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

impl Drop for ObjectStorage {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.commands.take();
        let _ = self.child.wait();
    }
}
