//! A browser that does what it is told: its own cookie, any header, any address of this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// Name of the cookie.
pub const COOKIE: &str = "__Host-hemora";

/// Somebody who asks a node.
pub struct Browser {
    node: SocketAddr,
    from: IpAddr,
    stream: Option<BufReader<TcpStream>>,
    /// Value of the session's cookie.
    pub cookie: Option<String>,
    /// Headers of every request.
    pub headers: Vec<(&'static str, String)>,
}

/// What the node answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

impl Browser {
    pub fn new(node: SocketAddr) -> Self {
        Self::from([127, 0, 0, 1], node)
    }

    /// One at another address of this machine.
    pub fn from(address: [u8; 4], node: SocketAddr) -> Self {
        let headers = vec![("x-hemora", "1".to_owned())];
        Self { node, from: address.into(), stream: None, cookie: None, headers }
    }

    /// A program with a token.
    pub fn program(token: &str, node: SocketAddr) -> Self {
        let mut program = Self::new(node);
        program.headers.push(("authorization", format!("Bearer {token}")));
        program
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind((self.from, 0).into()).unwrap();
            socket.connect(self.node).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        BufReader::new(stream)
    }

    /// Sends a request as it is and reads the answer.
    pub fn ask(&mut self, method: &str, path: &str, body: Option<&str>) -> Reply {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.node);
        for (name, value) in &self.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(cookie) = &self.cookie {
            request.push_str(&format!("cookie: theme=dark; {COOKIE}={cookie}\r\n"));
        }
        if let Some(body) = body {
            request.push_str("content-type: application/json\r\n");
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body.unwrap_or_default());
        // The node may have closed a connection that it kept open.
        let kept = self.stream.take();
        let reply = kept.and_then(|stream| self.exchange(stream, &request));
        let reply = reply.or_else(|| self.exchange(self.connect(), &request)).expect("an answer");
        let cookie =
            reply.header("set-cookie").and_then(|it| it.strip_prefix(COOKIE)).map(str::to_owned);
        if let Some(cookie) = cookie {
            let value = cookie[1..].split(';').next().unwrap_or_default();
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        reply
    }

    fn exchange(&mut self, mut stream: BufReader<TcpStream>, request: &str) -> Option<Reply> {
        stream.get_mut().write_all(request.as_bytes()).ok()?;
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut reply = Reply { status, headers, body: String::new() };
        // What has no length, such as events, is not read.
        if let Some(length) = reply.header("content-length").and_then(|it| it.parse().ok()) {
            // What answers HEAD has a length and no body.
            let mut bytes = vec![0; if request.starts_with("HEAD") { 0 } else { length }];
            stream.read_exact(&mut bytes).ok()?;
            reply.body = String::from_utf8_lossy(&bytes).into_owned();
            self.stream = Some(stream);
        }
        Some(reply)
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", &format!("/api/v1{path}"), None)
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.ask("POST", &format!("/api/v1{path}"), Some(&body.to_string()))
    }

    pub fn log_in(&mut self, name: &str, password: &str) -> Reply {
        self.post("/login", &json!({ "name": name, "password": password }))
    }
}
