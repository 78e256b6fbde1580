//! Byte streams with deadlines.

use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// A byte stream between two programs whose every call ends by a moment that the caller says.
pub trait Transport: Send {
    /// Reads what is there, waiting for the first byte until `deadline`; 0 bytes: the peer has ended.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] after the deadline, or what the connection fails with.
    fn read(&mut self, into: &mut [u8], deadline: Instant) -> io::Result<usize>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] after the deadline, or what the connection fails with.
    fn write_all(&mut self, bytes: &[u8], deadline: Instant) -> io::Result<()>;

    /// Tells the peer that nothing more will be written.
    fn end_writing(&mut self);
}

impl Transport for TcpStream {
    fn read(&mut self, into: &mut [u8], deadline: Instant) -> io::Result<usize> {
        self.set_read_timeout(Some(time_left(deadline)?))?;
        let count = with_timeout(|| Read::read(self, into))?;
        acknowledge_at_once(self);
        Ok(count)
    }

    fn write_all(&mut self, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            self.set_write_timeout(Some(time_left(deadline)?))?;
            let count = with_timeout(|| Write::write(self, bytes))?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[count..];
        }
        Ok(())
    }

    fn end_writing(&mut self) {
        // Fails where the peer has gone already.
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// Makes small messages go out at once, on both sides: without it a request and its answer wait for
/// one another's delayed acknowledgement, 40 ms an image.
///
/// # Errors
/// If the socket is closed.
pub fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    acknowledge_at_once(stream);
    Ok(())
}

/// Asks for acknowledgements without delay, since a peer with Nagle's algorithm waits for them; the
/// kernel forgets the wish, so it is renewed at each read.
fn acknowledge_at_once(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::TcpStreamExt;
        // A wish, without which all works, only slower.
        let _ = stream.set_quickack(true);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

fn time_left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    // The kernel counts in microseconds and takes 0 for ever.
    if left < Duration::from_micros(1) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Sockets say that they would block when their time is over.
fn with_timeout(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            result => return result,
        }
    }
}

/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

/// A transport that is read through a buffer, until a deadline that is set before.
pub(crate) struct Wire<'a> {
    transport: &'a mut dyn Transport,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Until when reads and writes may take.
    pub(crate) deadline: Instant,
}

impl<'a> Wire<'a> {
    pub(crate) fn new(transport: &'a mut dyn Transport, deadline: Instant) -> Self {
        Self { transport, buffer: vec![0; BUFFER].into(), start: 0, end: 0, deadline }
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.transport.write_all(bytes, self.deadline)
    }

    /// Ends what is written and reads on to the peer's end, without looking at it, for as long as
    /// `at_most`: a socket that is closed with bytes unread takes back what it has sent last.
    pub(crate) fn linger(&mut self, at_most: Duration) {
        self.transport.end_writing();
        self.deadline = Instant::now() + at_most;
        let mut left = 1 << 20;
        while left > 0 {
            (self.start, self.end) = (0, 0);
            match self.fill_buf() {
                Ok([]) | Err(_) => return,
                Ok(bytes) => left -= bytes.len().min(left),
            }
        }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Wire<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = self.transport.read(&mut self.buffer, self.deadline)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }
}
