//! Receives DICOM objects into a folder, each synced to the disk before its answer: the smallest
//! [`Handler`] that keeps its word, and what the network costs without anything behind it.
//!
//! `cargo run --release -p hemora-dimse --example receive -- FOLDER` prints where it listens, a line for
//! each association that ends, and stops with its input.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hemora_dimse::{
    Closed, CommitReply, CommitReport, CommitRequest, Failure, Handler, InstanceWriter, Limits,
    Peer, Refusal, Server, StoreRequest, file_meta,
};

struct Folder(PathBuf);

impl Handler for Folder {
    fn open(&self, _peer: &Peer) -> Result<(), Refusal> {
        Ok(())
    }

    fn accepts(&self, abstract_syntax: &str) -> bool {
        abstract_syntax.starts_with("1.2.840.10008.5.1.4.1.1.")
    }

    fn store(
        &self,
        peer: &Peer,
        request: &StoreRequest,
    ) -> Result<Box<dyn InstanceWriter + '_>, Failure> {
        // Checked to be fit for a file.
        let path = self.0.join(format!("{}.dcm", request.sop_instance_uid));
        let beside = path.with_extension(format!("{}.part", peer.association));
        let mut file = File::create(&beside).map_err(out_of_resources)?;
        let start = [&[0; 128], &b"DICM"[..], &file_meta(request, &peer.calling_ae)].concat();
        file.write_all(&start).map_err(out_of_resources)?;
        Ok(Box::new(Part { file, beside, path }))
    }

    fn commit(&self, _peer: &Peer, _request: &CommitRequest) -> CommitReply {
        CommitReply::Refused(Failure::processing("this example commits to nothing"))
    }

    fn commit_report(&self, _peer: &Peer, _report: &CommitReport) {}

    fn closed(&self, peer: &Peer, how: &Closed) {
        println!("{} {} {how:?}", peer.address, peer.calling_ae);
    }
}

/// A file that gets its name once it is whole; what is left of others stays beside as `.part`.
struct Part {
    file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl InstanceWriter for Part {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(out_of_resources)
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.file.sync_data().map_err(out_of_resources)?;
        fs::rename(&self.beside, &self.path).map_err(out_of_resources)
    }
}

fn out_of_resources(error: io::Error) -> Failure {
    Failure::out_of_resources(error.to_string())
}

fn main() -> io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).expect("a folder as argument"));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = Server::start(listener, Vec::new(), Limits::default(), Arc::new(Folder(folder)))?;
    println!("{}", server.address());
    io::stdin().read_to_end(&mut Vec::new())?;
    server.stop(Duration::from_secs(5));
    Ok(())
}
