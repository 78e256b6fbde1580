//! pynetdicom against our server, and its servers as peers of ours.

use std::time::Duration;

use hemora_dimse::{
    CommitReply, CommitReport, Limits, NO_SUCH_INSTANCE, Object, Reference, ScuError, StoreOutcome,
    count_instances, echo, request_commitment, send_commit_report, store,
};
use hemora_testing::{python, run_python};

use crate::recorder::recorder;
use crate::support::{EXPLICIT, Image, Running, STUDY, check_stored, destination, start, syntaxes};

/// `pause(a)` keeps the thread of an association from reading, and `resume(a)` lets it: else it may take
/// a quick answer for a request, since it looks for messages once more after it was told to pause.
const PAUSE: &str = "
import time
def pause(a):
    a._reactor_checkpoint.clear()
    time.sleep(0.2)
    a._reactor_checkpoint.set = lambda: None
def resume(a):
    del a._reactor_checkpoint.set
";

/// Sends files as they are, in the transfer syntaxes that they have.
const SEND: &str = "
import sys, pathlib
import pydicom
from pynetdicom import AE, _config
_config.STORE_SEND_CHUNKED_DATASET = True
port, pdu, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
files = sorted(folder.iterdir())
ae = AE('PYNETDICOM')
for syntax in sorted({str(pydicom.filereader.read_file_meta_info(f).TransferSyntaxUID) for f in files}):
    ae.add_requested_context('1.2.840.10008.5.1.4.1.1.2', syntax)
a = ae.associate('127.0.0.1', port, ae_title='HEMORA', max_pdu=pdu)
assert a.is_established
pause(a)
for f in files:
    status = a.send_c_store(f)
    assert status and status.Status == 0, (f, status, a.is_aborted)
resume(a)
a.release()
";

#[test]
fn pynetdicom_sends_every_syntax_whatever_the_length_of_pdus() {
    let Some(python) = python() else { return };
    // What they take, and what we take: at 100 bytes, commands are cut into fragments.
    for (theirs, ours) in [("4096", 4096), ("0", 128 << 10), ("16382", 100)] {
        let recorder = recorder(|_| ());
        let server = start(&recorder, Limits { pdu: ours, ..Limits::default() });
        let folder = tempfile::tempdir().unwrap();
        let syntaxes = syntaxes();
        let images = syntaxes.iter().zip(0..);
        let images: Vec<_> =
            images.map(|(syntax, number)| Image::new(number, syntax, 20_000)).collect();
        for image in &images {
            image.write(folder.path());
        }
        let port = server.address().port().to_string();
        let arguments = [port.as_str(), theirs, folder.path().to_str().unwrap()];
        run_python(&python, &(PAUSE.to_owned() + SEND), &arguments, b"");
        check_stored(recorder.stored(), &images);
        server.stop(Duration::ZERO);
    }
}

/// Asks for storage commitment and prints the report that comes on the same association.
const ASK: &str = "
import sys, time
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel as MODEL, StorageCommitmentPushModelInstance as INSTANCE
ae = AE('PYNETDICOM')
ae.add_requested_context(MODEL, ExplicitVRLittleEndian if sys.argv[2] == 'explicit' else ImplicitVRLittleEndian)
reports, sent = [], []
def report(event):
    ds = event.event_information
    kept = [str(it.ReferencedSOPInstanceUID) for it in ds.get('ReferencedSOPSequence', [])]
    lost = [(str(it.ReferencedSOPInstanceUID), it.FailureReason) for it in ds.get('FailedSOPSequence', [])]
    reports.append((event.event_type, str(ds.TransactionUID), kept, lost))
    return 0x0000, None
a = ae.associate('127.0.0.1', int(sys.argv[1]), ae_title='HEMORA', evt_handlers=[(evt.EVT_N_EVENT_REPORT, report),
    (evt.EVT_DIMSE_SENT, lambda event: sent.append(type(event.message).__name__))])
ds = Dataset()
ds.TransactionUID = '2.25.77'
ds.ReferencedSOPSequence = []
for number in (1, 2):
    item = Dataset()
    item.ReferencedSOPClassUID = '1.2.840.10008.5.1.4.1.1.2'
    item.ReferencedSOPInstanceUID = f'1.2.{number}'
    ds.ReferencedSOPSequence.append(item)
status, reply = a.send_n_action(ds, 1, MODEL, INSTANCE)
assert status.Status == 0, status
# The report is answered by a thread of its own, which the release must not overtake.
while 'N_EVENT_REPORT_RSP' not in sent:
    time.sleep(0.01)
time.sleep(0.5)
a.release()
print(reports)
a = ae.associate('127.0.0.1', int(sys.argv[1]), ae_title='HEMORA')
pause(a)
del ds.ReferencedSOPSequence
bad, _ = a.send_n_action(ds, 1, MODEL, INSTANCE)
assert bad.Status == 0x0115, bad
bad, _ = a.send_n_action(ds, 2, MODEL, INSTANCE)
assert bad.Status == 0x0123, bad
bad, _ = a.send_n_action(ds, 1, MODEL, '1.2.3')
assert bad.Status == 0x0112, bad
resume(a)
a.release()
";

#[test]
fn a_commitment_is_asked_of_us_and_reported_on_the_same_association() {
    let Some(python) = python() else { return };
    for encoding in ["explicit", "implicit"] {
        let recorder = recorder(|recorder| {
            recorder.commit = |request| {
                let [kept, lost] = &request.instances[..] else { panic!("{request:?}") };
                CommitReply::Now(CommitReport {
                    transaction_uid: request.transaction_uid.clone(),
                    committed: vec![kept.clone()],
                    failed: vec![(lost.clone(), NO_SUCH_INSTANCE)],
                })
            };
        });
        let server = start(&recorder, Limits::default());
        let port = server.address().port().to_string();
        let output =
            run_python(&python, &(PAUSE.to_owned() + ASK), &[port.as_str(), encoding], b"");
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output.trim(), "[(2, '2.25.77', ['1.2.1'], [('1.2.2', 274)])]");
        let answered = recorder.wait(|it| !it.answered.is_empty(), |it| it.answered.clone());
        assert_eq!(answered, [("2.25.77".to_owned(), true)], "{:?}", recorder.closed(1));
        server.stop(Duration::ZERO);
    }
}

/// Services of an archive, on a port that is printed.
const ARCHIVE: &str = "
import sys, threading
from pydicom.dataset import Dataset
from pynetdicom import AE, evt, AllStoragePresentationContexts
from pynetdicom.sop_class import *
INSTANCE = StorageCommitmentPushModelInstance
ae = AE('ARCHIVE')
ae.maximum_pdu_size = PDU
ae.add_supported_context(Verification)
ae.add_supported_context('1.2.840.10008.5.1.4.1.1.2', ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2.4.90'])
ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
ae.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
def store(event):
    uid, data = event.request.AffectedSOPInstanceUID, event.request.DataSet.getvalue()
    answer = Dataset()
    # What arrived, as far as a comment can say it.
    answer.ErrorComment = f'{len(data)} {sum(data)}'
    answer.Status = {'1': 0xB000, '2': 0xA700}.get(str(uid)[-1], 0xB007)
    return answer
def find(event):
    uid = event.identifier.StudyInstanceUID
    if uid.endswith('.404'):
        yield 0xC001, None
        return
    for other in ('1.2.3', uid):
        ds = Dataset()
        ds.QueryRetrieveLevel = 'STUDY'
        ds.StudyInstanceUID = other
        ds.NumberOfStudyRelatedInstances = '34' if other == uid else '99'
        yield 0xFF00, ds
def report(a, asked):
    ds = Dataset()
    ds.TransactionUID = asked.TransactionUID
    ds.ReferencedSOPSequence = asked.ReferencedSOPSequence
    status, _ = a.send_n_event_report(ds, 1, StorageCommitmentPushModel, INSTANCE)
    assert status.Status == 0, status
def action(event):
    asked = event.action_information
    if asked.TransactionUID == '2.25.404':
        return 0x0110, None
    if asked.TransactionUID != '2.25.2':
        threading.Timer(0.2, report, (event.assoc, asked)).start()
    return 0x0000, None
def reported(event):
    ds = event.event_information
    return (0x0000 if ds.TransactionUID == '2.25.9' and event.event_type == 2 else 0x0110), None
handlers = [(evt.EVT_C_ECHO, lambda event: 0x0000), (evt.EVT_C_STORE, store), (evt.EVT_C_FIND, find),
    (evt.EVT_N_ACTION, action), (evt.EVT_N_EVENT_REPORT, reported)]
server = ae.start_server(('127.0.0.1', 0), block=False, evt_handlers=handlers)
print(server.socket.getsockname()[1], flush=True)
sys.stdin.read()
";

#[test]
fn what_we_send_arrives_whatever_the_length_of_pdus() {
    let Some(python) = python() else { return };
    for pdu in ["4096", "0", "100"] {
        let (_running, port) = Running::python(&python, &ARCHIVE.replace("PDU", pdu));
        let to = destination("ARCHIVE", port);
        echo(&to).unwrap();
        let j2k = "1.2.840.10008.1.2.4.90";
        let images =
            [Image::new(1, EXPLICIT, 300_000), Image::new(2, j2k, 1000), Image::new(3, j2k, 2000)];
        let files = images.iter().map(|image| Object::from_part10(&image.file()).unwrap());
        let outcomes: Vec<_> = store(&to, &files.collect::<Vec<_>>())
            .unwrap()
            .into_iter()
            .map(|it| it.outcome)
            .collect();
        let content = images.each_ref().map(|image| {
            let sum: u64 = image.data_set.iter().map(|&byte| u64::from(byte)).sum();
            format!("{} {sum}", image.data_set.len())
        });
        let [first, second, third] = content;
        let expected = [
            StoreOutcome::Warning(0xB000, first),
            StoreOutcome::Failed(0xA700, second),
            StoreOutcome::Warning(0xB007, third),
        ];
        assert_eq!(outcomes, expected);
    }
}

#[test]
fn an_archive_is_asked_for_counts_and_commitments() {
    let Some(python) = python() else { return };
    let (_running, port) = Running::python(&python, &ARCHIVE.replace("PDU", "16384"));
    let to = destination("ARCHIVE", port);
    assert_eq!(count_instances(&to, STUDY).unwrap(), Some(34));
    let error = count_instances(&to, "1.2.404").unwrap_err();
    assert!(matches!(error, ScuError::Refused { status: 0xC001, .. }), "{error}");

    let instances: Vec<_> =
        (0..3).map(|number| Image::new(number, EXPLICIT, 10).reference()).collect();
    let wait = Duration::from_secs(60);
    let report = request_commitment(&to, "2.25.1", &instances, wait).unwrap().unwrap();
    assert_eq!((&*report.transaction_uid, &report.committed), ("2.25.1", &instances));
    // Taken on, but not reported on this association.
    let none = request_commitment(&to, "2.25.2", &instances, Duration::from_millis(300)).unwrap();
    assert_eq!(none, None);
    let error = request_commitment(&to, "2.25.404", &instances, wait).unwrap_err();
    assert!(matches!(error, ScuError::Refused { status: 0x0110, .. }), "{error}");

    let lost = Reference { sop_class_uid: "1.2".to_owned(), sop_instance_uid: "1.2.3".to_owned() };
    let mut report = CommitReport {
        transaction_uid: "2.25.9".to_owned(),
        committed: instances,
        failed: vec![(lost, NO_SUCH_INSTANCE)],
    };
    send_commit_report(&to, &report).unwrap();
    report.transaction_uid = "2.25.10".to_owned();
    let error = send_commit_report(&to, &report).unwrap_err();
    assert!(error.to_string().contains("storage commitment with status 0110"), "{error}");
}

/// Reports on a storage commitment over an association of its own.
const REPORT: &str = "
import sys
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role
from pynetdicom.sop_class import StorageCommitmentPushModel as MODEL, StorageCommitmentPushModelInstance as INSTANCE
ae = AE('ARCHIVE')
ae.add_requested_context(MODEL)
a = ae.associate('127.0.0.1', int(sys.argv[1]), ae_title='HEMORA', ext_neg=[build_role(MODEL, scp_role=True)])
pause(a)
ds = Dataset()
ds.TransactionUID = '2.25.5'
item = Dataset()
item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = '1.2', '1.2.3'
ds.ReferencedSOPSequence = [item]
status, _ = a.send_n_event_report(ds, 1, MODEL, INSTANCE)
assert status.Status == 0, status
status, _ = a.send_n_event_report(ds, 3, MODEL, INSTANCE)
assert status.Status == 0x0113, status
resume(a)
a.release()
";

#[test]
fn a_report_reaches_us_over_an_association_of_its_own() {
    let Some(python) = python() else { return };
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    run_python(&python, &(PAUSE.to_owned() + REPORT), &[server.address().port().to_string()], b"");
    let reports = recorder.wait(|_| true, |record| record.reports.clone());
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].transaction_uid, "2.25.5");
    assert_eq!(reports[0].committed[0].sop_instance_uid, "1.2.3");
    server.stop(Duration::ZERO);
}
