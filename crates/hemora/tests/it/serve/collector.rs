//! An archive that keeps whatever comes, as often as it comes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_dimse::{
    Closed, CommitReply, CommitReport, CommitRequest, Failure, Handler, InstanceWriter, Peer,
    Refusal, StoreRequest, file_meta,
};
use hemora_io::read_identity;

/// Keeps each object that comes as a file of its own.
pub struct Collector {
    folder: PathBuf,
    count: AtomicUsize,
}

impl Collector {
    /// One that keeps into a folder, which is made.
    pub fn in_folder(folder: PathBuf) -> Arc<Self> {
        std::fs::create_dir_all(&folder).unwrap();
        Arc::new(Self { folder, count: AtomicUsize::new(0) })
    }

    /// How many objects have come.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// StudyInstanceUID, SOPClassUID and SOPInstanceUID of everything that has come.
    pub fn objects(&self) -> Vec<[String; 3]> {
        let object = |entry: std::io::Result<std::fs::DirEntry>| {
            let found = read_identity(&entry.unwrap().path()).unwrap();
            [found.study_instance_uid, found.sop_class_uid, found.sop_instance_uid]
        };
        std::fs::read_dir(&self.folder).unwrap().map(object).collect()
    }
}

impl Handler for Collector {
    fn open(&self, _peer: &Peer) -> Result<(), Refusal> {
        Ok(())
    }

    fn accepts(&self, _abstract_syntax: &str) -> bool {
        true
    }

    fn store(
        &self,
        peer: &Peer,
        request: &StoreRequest,
    ) -> Result<Box<dyn InstanceWriter + '_>, Failure> {
        let file = [&[0; 128], &b"DICM"[..], &file_meta(request, &peer.calling_ae)].concat();
        Ok(Box::new(Arriving { collector: self, file }))
    }

    fn commit(&self, _peer: &Peer, _request: &CommitRequest) -> CommitReply {
        CommitReply::Refused(Failure::processing("this archive commits itself to nothing"))
    }

    fn commit_report(&self, _peer: &Peer, _report: &CommitReport) {}

    fn closed(&self, _peer: &Peer, _how: &Closed) {}
}

struct Arriving<'a> {
    collector: &'a Collector,
    file: Vec<u8>,
}

impl InstanceWriter for Arriving<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.extend(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        let number = self.collector.count.fetch_add(1, Ordering::Relaxed);
        let path = self.collector.folder.join(format!("{number}.dcm"));
        std::fs::write(path, &self.file).map_err(|error| Failure::processing(error.to_string()))
    }
}
