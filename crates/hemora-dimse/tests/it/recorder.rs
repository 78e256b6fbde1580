//! A handler that remembers what it was asked.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use hemora_dimse::{
    Closed, CommitReply, CommitReport, CommitRequest, Failure, Handler, InstanceWriter, Peer,
    Refusal, StoreRequest,
};

/// What was asked so far.
#[derive(Debug, Default)]
pub struct Record {
    /// Instances that arrived whole.
    pub stored: Vec<(StoreRequest, Vec<u8>)>,
    /// Writers that were dropped before they were finished.
    pub dropped: usize,
    pub opened: Vec<Peer>,
    pub closed: Vec<(Peer, Closed)>,
    pub commits: Vec<CommitRequest>,
    pub reports: Vec<CommitReport>,
    /// Answers to reports of ours.
    pub answered: Vec<(String, bool)>,
}

/// A handler that remembers what it was asked, and answers as it was told.
pub struct Recorder {
    record: Mutex<Record>,
    changed: Condvar,
    pub open: Result<(), Refusal>,
    /// Asked before each instance.
    pub store: fn(&StoreRequest) -> Result<(), Failure>,
    /// Asked before each write, with the bytes so far.
    pub write: fn(usize) -> Result<(), Failure>,
    pub commit: fn(&CommitRequest) -> CommitReply,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            record: Mutex::default(),
            changed: Condvar::new(),
            open: Ok(()),
            store: |_| Ok(()),
            write: |_| Ok(()),
            commit: |_| CommitReply::Later,
        }
    }
}

impl Recorder {
    fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.record.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until `is_there` and takes out `what`.
    pub fn wait<T>(
        &self,
        is_there: impl Fn(&Record) -> bool,
        what: impl FnOnce(&mut Record) -> T,
    ) -> T {
        let record = self.record.lock().unwrap();
        let most = Duration::from_secs(60);
        let waited = self.changed.wait_timeout_while(record, most, |record| !is_there(record));
        let (mut record, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "not in time: {record:?}");
        what(&mut record)
    }

    /// Waits for the end of `count` associations; how they ended.
    pub fn closed(&self, count: usize) -> Vec<Closed> {
        let how = |record: &mut Record| record.closed.iter().map(|(_, how)| how.clone()).collect();
        self.wait(|record| record.closed.len() >= count, how)
    }

    /// The instances that have arrived.
    pub fn stored(&self) -> Vec<(StoreRequest, Vec<u8>)> {
        self.record.lock().unwrap().stored.clone()
    }

    /// Writers that were dropped.
    pub fn dropped(&self) -> usize {
        self.record.lock().unwrap().dropped
    }
}

impl Handler for Recorder {
    fn open(&self, peer: &Peer) -> Result<(), Refusal> {
        self.note(|record| record.opened.push(peer.clone()));
        self.open
    }

    fn accepts(&self, abstract_syntax: &str) -> bool {
        abstract_syntax.starts_with("1.2.840.10008.5.1.4.1.1.")
    }

    fn store(
        &self,
        _peer: &Peer,
        request: &StoreRequest,
    ) -> Result<Box<dyn InstanceWriter + '_>, Failure> {
        (self.store)(request)?;
        let request = Some(request.clone());
        Ok(Box::new(Writer { recorder: self, request, bytes: Vec::new() }))
    }

    fn commit(&self, _peer: &Peer, request: &CommitRequest) -> CommitReply {
        self.note(|record| record.commits.push(request.clone()));
        (self.commit)(request)
    }

    fn commit_report(&self, _peer: &Peer, report: &CommitReport) {
        self.note(|record| record.reports.push(report.clone()));
    }

    fn commit_answered(&self, _peer: &Peer, transaction_uid: &str, taken: bool) {
        self.note(|record| record.answered.push((transaction_uid.to_owned(), taken)));
    }

    fn closed(&self, peer: &Peer, how: &Closed) {
        self.note(|record| record.closed.push((peer.clone(), how.clone())));
    }
}

struct Writer<'a> {
    recorder: &'a Recorder,
    /// Taken when the instance is finished.
    request: Option<StoreRequest>,
    bytes: Vec<u8>,
}

impl InstanceWriter for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        assert!(!bytes.is_empty());
        (self.recorder.write)(self.bytes.len())?;
        self.bytes.extend(bytes);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        let request = self.request.take().unwrap();
        let bytes = std::mem::take(&mut self.bytes);
        self.recorder.note(|record| record.stored.push((request, bytes)));
        Ok(())
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if self.request.is_some() {
            self.recorder.note(|record| record.dropped += 1);
        }
    }
}

/// A recorder that is shared with a server.
pub fn recorder(change: impl FnOnce(&mut Recorder)) -> Arc<Recorder> {
    let mut recorder = Recorder::default();
    change(&mut recorder);
    Arc::new(recorder)
}
