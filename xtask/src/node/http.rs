//! Questions to programs of this machine over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);

/// Status and body. HTTP/1.0, so that the body ends with the connection.
pub fn ask(address: &str, path: &str) -> Result<(u16, String)> {
    let exchange = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(ANSWER))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    let text = exchange().into_diagnostic().wrap_err_with(|| format!("{address} is silent"))?;
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let (_, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    status.map(|status| (status, body.to_owned())).ok_or_else(|| miette!("no answer: {text}"))
}

/// The JSON of an answer whose status is 200.
pub fn get(address: &str, path: &str) -> Result<Value> {
    let (status, body) = ask(address, path)?;
    match status {
        200 => serde_json::from_str(&body).into_diagnostic().wrap_err("no JSON"),
        status => Err(miette!("{path}: {status} {body}")),
    }
}
