//! What was gathered, as `gather.json` has it.

use std::collections::{BTreeMap, BTreeSet};

use hemora_ct::{LABEL_COUNT, Label};
use serde::Serialize;

use super::item::{Set, SliceLabels};

/// Ids that stand beside a reason.
const EXAMPLES: usize = 5;

/// What was gathered of all sets.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Largest height and width, pixels.
    pub size: usize,
    /// Slices of all sets.
    pub slices: usize,
    /// By name of the set.
    pub sets: BTreeMap<&'static str, SetReport>,
}

/// What was gathered of one set.
#[derive(Debug, Default, Serialize)]
pub(super) struct SetReport {
    /// Slices that were written.
    pub slices: usize,
    /// Patients, or what is best known, that they are of.
    pub groups: usize,
    /// What each slice's labels weigh.
    pub weight: f64,
    /// Slices with an annotation of pixels.
    pub annotated: usize,
    /// In label order.
    pub labels: BTreeMap<&'static str, LabelReport>,
    /// Slices that were left out, and why.
    pub left_out: BTreeMap<String, LeftOut>,
    /// Annotations that were left out of slices that are there, and why.
    pub annotations_left_out: BTreeMap<String, LeftOut>,
    #[serde(skip)]
    seen: BTreeSet<String>,
}

/// How often a label is positive and how often it is not known.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub(super) struct LabelReport {
    /// Slices with the label.
    pub positive: usize,
    /// Slices of which nobody knows it.
    pub unknown: usize,
}

/// What was left out for one reason.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct LeftOut {
    /// How many slices.
    pub count: usize,
    /// The first of them, by id.
    pub examples: Vec<String>,
}

/// Counts one more slice under its reason.
pub(super) fn leave_out(reasons: &mut BTreeMap<String, LeftOut>, reason: &str, id: &str) {
    let reason = reasons.entry(reason.to_owned()).or_default();
    reason.count += 1;
    if reason.examples.len() < EXAMPLES {
        reason.examples.push(id.to_owned());
    }
}

impl SetReport {
    /// Nothing yet.
    pub fn new(set: Set) -> Self {
        let none = Label::ALL.map(|label| (label.name(), LabelReport::default()));
        Self { weight: set.weight(), labels: none.into(), ..Self::default() }
    }

    /// Counts a slice that was written.
    pub fn add(&mut self, group: &str, labels: &SliceLabels, annotated: bool) {
        self.slices += 1;
        self.annotated += usize::from(annotated);
        if self.seen.insert(group.to_owned()) {
            self.groups += 1;
        }
        for (label, value) in Label::ALL.into_iter().zip(labels) {
            let counts = self.labels.entry(label.name()).or_default();
            counts.positive += usize::from(*value == Some(true));
            counts.unknown += usize::from(value.is_none());
        }
    }

    /// A line for people.
    pub fn line(&self, set: Set) -> String {
        let counts: [String; LABEL_COUNT] = Label::ALL.map(|label| {
            let LabelReport { positive, unknown } = self.labels[label.name()];
            let unknown = if unknown == 0 { String::new() } else { format!(" (?{unknown})") };
            format!("{label} {positive}{unknown}")
        });
        format!(
            "{}: {} slices of {} groups, {} annotated; {}",
            set.name(),
            self.slices,
            self.groups,
            self.annotated,
            counts.join(", ")
        )
    }
}
