//! Connections that are opened within a bounded time.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to `host:port`, to the first of its addresses that answers; else why none does.
pub(crate) fn connect(host: &str) -> Result<TcpStream, String> {
    let addresses = host.to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
    let mut problem = format!("{host}: the name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => problem = format!("{host}: {error}"),
        }
    }
    Err(problem)
}
