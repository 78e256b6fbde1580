//! UIDs of what is made of a result: the same for the same result, so that what is sent again is known
//! to whoever has it.

use std::borrow::Cow;

use hemora_ct::Label;
use uuid::Uuid;

use crate::Report;

/// Namespace of our UUIDs: version 5 of `https://github.com/hemora/hemora` in the namespace of URLs.
const NAMESPACE: Uuid = Uuid::from_u128(0x81aa_cf23_b2e0_5efd_bf4f_030e_5f17_427e);

/// What is made of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The structured report.
    StructuredReport,
    /// The secondary capture.
    SecondaryCapture,
    /// The key object selection.
    KeyObjects,
    /// An HL7 message.
    Message,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::StructuredReport => "sr",
            Self::SecondaryCapture => "sc",
            Self::KeyObjects => "ko",
            Self::Message => "oru",
        }
    }
}

/// UID of what the node with `node_uid` makes of a revision: `2.25.` and a UUID of version 5 (PS3.5 B.2,
/// RFC 9562 §5.5) as a decimal number. The node belongs to it, since two nodes may score one study and
/// send to one archive.
pub fn report_uid(node_uid: &str, study_uid: &str, revision: u32, kind: Kind) -> String {
    uid(&[node_uid, study_uid, kind.name(), &revision.to_string()])
}

/// UID of the series that holds all revisions of a kind.
pub(crate) fn series_uid(report: &Report, kind: Kind) -> String {
    uid(&[&report.node.uid, &report.identity.study_instance_uid, kind.name(), "series"])
}

/// UID by which the finding of a label is followed from revision to revision.
pub(crate) fn tracking_uid(report: &Report, label: Label) -> String {
    uid(&[&report.node.uid, &report.identity.study_instance_uid, "finding", label.name()])
}

/// UID by which the finding on an image is followed from revision to revision.
pub(crate) fn image_tracking_uid(report: &Report, sop: &str, frame: Option<u32>) -> String {
    let frame = frame.map(|frame| frame.to_string()).unwrap_or_default();
    let study = &report.identity.study_instance_uid;
    uid(&[&report.node.uid, study, "image", sop, &frame])
}

/// UID of the study's result, whatever its revision: by it a receiver replaces what it has.
pub(crate) fn result_uid(report: &Report) -> String {
    uid(&[&report.node.uid, &report.identity.study_instance_uid, "result"])
}

/// UUID of what the parts name; they hold no line feed.
pub(crate) fn uuid(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&NAMESPACE, parts.join("\n").as_bytes())
}

/// The UID, or where it is none (`ID_…` in the competition's data) one made of it, the same every time: an
/// object with other characters in its UIDs is no valid one, and archives refuse it.
pub(crate) fn conformant(uid_or_not: &str) -> Cow<'_, str> {
    match hemora_io::is_uid_like(uid_or_not) {
        true => Cow::Borrowed(uid_or_not),
        false => Cow::Owned(uid(&["no uid", uid_or_not])),
    }
}

fn uid(parts: &[&str]) -> String {
    format!("2.25.{}", uuid(parts).as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_uid_becomes_one_and_what_is_stays() {
        assert_eq!(conformant("1.2.840.1"), "1.2.840.1");
        let made = conformant("ID_286f17f9e7");
        assert!(made.starts_with("2.25.") && made.len() <= 64);
        assert_eq!(made, conformant("ID_286f17f9e7"));
        assert_ne!(made, conformant("ID_286f17f9e8"));
    }

    #[test]
    fn uids_are_known_and_differ_in_every_part() {
        assert_eq!(
            NAMESPACE,
            Uuid::new_v5(&Uuid::NAMESPACE_URL, b"https://github.com/hemora/hemora")
        );
        let first = report_uid("1.2", "1.2.3", 1, Kind::StructuredReport);
        assert_eq!(first, report_uid("1.2", "1.2.3", 1, Kind::StructuredReport));
        assert!(first.len() <= 64 && first.starts_with("2.25."));
        let others = [
            report_uid("1.3", "1.2.3", 1, Kind::StructuredReport),
            report_uid("1.2", "1.2.4", 1, Kind::StructuredReport),
            report_uid("1.2", "1.2.3", 2, Kind::StructuredReport),
            report_uid("1.2", "1.2.3", 1, Kind::SecondaryCapture),
        ];
        assert!(!others.contains(&first));
    }
}
