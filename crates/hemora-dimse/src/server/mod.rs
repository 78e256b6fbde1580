//! Listens for associations.

mod commit;
mod negotiate;
mod requests;
mod service;
mod slots;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) use commit::{read_report, report_command};
pub use service::Service;
use slots::{Place, Slots};

use crate::transport::set_up;
use crate::{AeTitle, Handler, Limits};

/// A running server: one thread that listens, and one for each association. It runs until it is
/// [stopped](Self::stop), also when this is dropped.
pub struct Server {
    address: SocketAddr,
    service: Arc<Service>,
    slots: Arc<Slots>,
    listening: JoinHandle<Vec<JoinHandle<()>>>,
}

/// How long threads may take to leave once their sockets are closed for reading; then they are closed
/// for writing, too.
const LEAVE: Duration = Duration::from_secs(1);

/// How long to wait where the system has no sockets or threads to spare.
const SPARE: Duration = Duration::from_millis(20);

impl Server {
    /// Serves those who connect to `listener`. `called` are the names to which it answers; with none
    /// it answers to any.
    ///
    /// # Errors
    /// If no thread can be started or the listener's address cannot be read.
    pub fn start(
        listener: TcpListener,
        called: Vec<AeTitle>,
        limits: Limits,
        handler: Arc<dyn Handler>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(false)?;
        let slots = Arc::new(Slots::new(limits.associations, limits.per_peer));
        let service = Arc::new(Service::new(called, limits, handler));
        let listening = {
            let (service, slots) = (Arc::clone(&service), Arc::clone(&slots));
            thread::Builder::new()
                .name("dicom-listen".to_owned())
                .spawn(move || listen(&listener, &service, &slots))?
        };
        Ok(Self { address, service, slots, listening })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Associations that are open now.
    pub fn open_associations(&self) -> usize {
        self.service.open_associations()
    }

    /// Stops listening, lets open associations end for as long as `grace`, aborts the rest, and waits
    /// for all threads. A handler that is at work is waited for.
    pub fn stop(self, grace: Duration) {
        self.slots.close();
        while !self.listening.is_finished() {
            // Wakes the thread, which waits for somebody to connect.
            let _ = TcpStream::connect_timeout(&reachable(self.address), LEAVE);
            thread::sleep(Duration::from_millis(1));
        }
        let threads = self.listening.join().unwrap_or_default();
        if !self.slots.wait_empty(grace) {
            self.service.stopping.store(true, Ordering::Relaxed);
            self.slots.shut_down(std::net::Shutdown::Read);
            if !self.slots.wait_empty(LEAVE) {
                self.slots.shut_down(std::net::Shutdown::Both);
            }
        }
        for thread in threads {
            // Its panics are caught within.
            let _ = thread.join();
        }
    }
}

/// An address of this machine at which a listener of `address` is reached.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Starts a thread for each peer until the slots are closed; the threads that are still running.
fn listen(
    listener: &TcpListener,
    service: &Arc<Service>,
    slots: &Arc<Slots>,
) -> Vec<JoinHandle<()>> {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let mut number = 0;
    loop {
        let accepted = listener.accept();
        if slots.is_closed() {
            return threads;
        }
        // Too many open files, as a rule.
        let Ok((stream, address)) = accepted else {
            thread::sleep(SPARE);
            continue;
        };
        threads.retain(|thread| !thread.is_finished());
        number += 1;
        if let Some(thread) = start(stream, address, number, service, slots) {
            threads.push(thread);
        }
    }
}

/// Starts the thread of a peer; `None`: there is no room, and the connection is closed.
fn start(
    mut stream: TcpStream,
    address: SocketAddr,
    number: u64,
    service: &Arc<Service>,
    slots: &Arc<Slots>,
) -> Option<JoinHandle<()>> {
    let slot = slots.take(&stream, address.ip().to_canonical(), number)?;
    set_up(&stream).ok()?;
    let service = Arc::clone(service);
    let name = format!("dicom-{number}");
    let thread = thread::Builder::new().name(name).spawn(move || {
        match slot.place {
            Place::Association => service.serve(&mut stream, address, number),
            Place::Refusal => service.refuse(&mut stream),
        }
        // The connection is closed before the slot is free.
        drop(stream);
        drop(slot);
    });
    thread.ok()
}
