//! What is known of one study's result, before it takes any form.

use chrono::{DateTime, FixedOffset, Utc};
use hemora_ct::{Label, Probabilities};
use hemora_io::Identity;
use hemora_model::{ModelRef, Verdict};

use crate::InteropError;

/// One revision of a study's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Whose the study is; UIDs are referred to as they stand in its images.
    pub identity: Identity,
    /// Who made the result.
    pub node: Node,
    /// The model.
    pub model: ModelRef,
    /// Inference engine, such as `tract`.
    pub engine: String,
    /// Where the thresholds come from, such as `sensitivity=0.95`.
    pub operating_point: String,
    /// What is said of each label: any hemorrhage first, then the subtypes; no label twice.
    pub findings: Vec<Finding>,
    /// The slices to look at first, most suspicious first.
    pub key_images: Vec<KeyImage>,
    /// What is said of the study.
    pub class: Class,
    /// Revision of the result, from 1; each supersedes the one before.
    pub revision: u32,
    /// Newest earlier revision whose structured report an archive has, if there is one.
    pub predecessor: Option<u32>,
    /// Whether images may have been missing when the study was scored.
    pub may_be_incomplete: bool,
    /// What a reader should know about the study.
    pub warnings: Vec<String>,
    /// When the result was made.
    pub made_at: DateTime<Utc>,
    /// Address of the study's page at the node.
    pub link: Option<String>,
}

/// The node that made a result: the device observer of PS3.16 TID 1004.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Name, for people.
    pub name: String,
    /// Application entity title.
    pub ae_title: String,
    /// UID of the installation: two nodes that score the same study make different objects.
    pub uid: String,
    /// Version of the program.
    pub version: String,
    /// Distance of the department's clock from UTC when the result was made: dates and times in DICOM are
    /// local ones.
    pub utc_offset: FixedOffset,
}

/// What is said of one label of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The label.
    pub label: Label,
    /// Calibrated probability of the study, 0 to 1.
    pub probability: f64,
    /// What is said of it.
    pub presence: Verdict,
    /// By which thresholds, if there are any.
    pub thresholds: Option<Thresholds>,
    /// What speaks against being sure, in words.
    pub reasons: Vec<String>,
}

/// Thresholds of a label; both are the same where nothing lies between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Absent below this probability.
    pub absent_below: f64,
    /// Present from this probability on.
    pub present_from: f64,
}

/// What is said of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Hemorrhage is called present.
    Positive,
    /// Neither present nor absent.
    NotSure,
    /// Hemorrhage is called absent.
    Negative,
}

impl Class {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::NotSure => "not sure",
            Self::Negative => "negative",
        }
    }
}

/// A slice to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyImage {
    /// SOPClassUID of the image.
    pub sop_class_uid: String,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// Frame from 1, in an image of several.
    pub frame: Option<u32>,
    /// Position along the slice normal, mm.
    pub z_mm: Option<f64>,
    /// Probabilities of the slice.
    pub probabilities: Probabilities,
    /// The labels for which the slice reaches its threshold.
    pub flagged: Vec<Label>,
}

impl KeyImage {
    /// Where the slice lies, as the end of a phrase; empty if it is not known.
    pub(crate) fn place(&self) -> String {
        let z = self.z_mm.filter(|z| z.is_finite());
        z.map(|z| format!(" at z {z:.1} mm")).unwrap_or_default()
    }
}

impl Report {
    /// What is said of `label`, if anything is.
    pub fn finding(&self, label: Label) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.label == label)
    }

    /// When the result was made, by the department's clock.
    pub(crate) fn local_time(&self) -> DateTime<FixedOffset> {
        self.made_at.with_timezone(&self.node.utc_offset)
    }

    /// Checks what every form relies on.
    pub(crate) fn check(&self) -> Result<(), InteropError> {
        if self.revision == 0 {
            return Err(InteropError::Revision);
        }
        if self.predecessor.is_some_and(|earlier| earlier == 0 || earlier >= self.revision) {
            return Err(InteropError::Predecessor);
        }
        check_uid("the StudyInstanceUID", &self.identity.study_instance_uid)?;
        check_uid("the node's UID", &self.node.uid)?;
        let found: Vec<Label> = self.findings.iter().map(|finding| finding.label).collect();
        let twice = (1..found.len()).any(|index| found[..index].contains(&found[index]));
        if found.first() != Some(&Label::Any) || twice {
            return Err(InteropError::Findings { found });
        }
        for finding in &self.findings {
            check_probability(finding.label, finding.probability)?;
        }
        for image in &self.key_images {
            check_uid("the SOPClassUID of a key image", &image.sop_class_uid)?;
            check_uid("the SOPInstanceUID of a key image", &image.sop_instance_uid)?;
            check_uid("the SeriesInstanceUID of a key image", &image.series_instance_uid)?;
            for label in Label::ALL {
                check_probability(label, f64::from(image.probabilities.get(label)))?;
            }
        }
        Ok(())
    }
}

/// Also what is no UID, such as the competition's `ID_…`, names a study; only what DICOM could not hold is
/// refused.
fn check_uid(what: &'static str, value: &str) -> Result<(), InteropError> {
    let fits = (1..=64).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if fits { Ok(()) } else { Err(InteropError::Uid { what, value: value.to_owned() }) }
}

fn check_probability(label: Label, value: f64) -> Result<(), InteropError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(InteropError::Probability { label, value })
}
