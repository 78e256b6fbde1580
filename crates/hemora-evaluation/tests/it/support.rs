//! Small tables of predictions and labels in a folder of their own.

use std::path::PathBuf;

use hemora_ct::Label;
use hemora_evaluation::{CaseRequest, EvaluateOptions};
use hemora_metrics::BootstrapOptions;
use tempfile::TempDir;

/// A folder with tables.
pub struct Tables {
    folder: TempDir,
}

impl Tables {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A request for these predictions and labels.
    pub fn request(&self, predictions: &str, labels: &str) -> CaseRequest {
        CaseRequest {
            predictions: self.write("predictions.csv", predictions),
            labels: Some(self.write("labels.csv", labels)),
            ..CaseRequest::default()
        }
    }
}

/// Slices of 12 patients, one study each, four slices a study. Every third patient bleeds in its
/// second slice, subdurally; nobody epidurally.
pub fn slices() -> impl Iterator<Item = (String, usize, [bool; 6])> {
    (0..48).map(|slice| {
        let (patient, place) = (slice / 4, slice % 4);
        let bleeds = patient % 3 == 0 && place == 1;
        let truth = Label::ALL.map(|label| bleeds && matches!(label, Label::Subdural | Label::Any));
        (format!("ID_{slice:02}"), patient, truth)
    })
}

/// The probability of a slice: mostly right, wrong for the last patient's second slice.
pub fn probability(slice: usize, truth: bool) -> f64 {
    let noise = ((slice * 37) % 23) as f64 / 100.0;
    let mistaken = slice == 45;
    if truth || mistaken { 0.7 + noise } else { 0.05 + noise }
}

/// A table as `hemora triage` writes it.
pub fn result_csv() -> String {
    let mut text = String::from("sop_instance_uid,series_instance_uid,study_instance_uid,z_mm");
    Label::ALL.iter().for_each(|label| text += &format!(",{label}"));
    for (number, (id, patient, truth)) in slices().enumerate() {
        text += &format!("\n{id},series{patient},study{patient},{number}");
        truth.iter().for_each(|&truth| text += &format!(",{}", probability(number, truth)));
    }
    text + "\n"
}

/// A competition label table of the slices.
pub fn label_csv() -> String {
    let mut text = String::from("ID,Label\n");
    for (id, _, truth) in slices() {
        for (label, truth) in Label::ALL.iter().zip(truth) {
            text += &format!("{id}_{label},{}\n", u8::from(truth));
        }
    }
    text
}

/// The same probabilities as a competition submission, in reverse order.
pub fn submission_csv() -> String {
    let mut rows = Vec::new();
    for (number, (id, _, truth)) in slices().enumerate() {
        for (label, truth) in Label::ALL.iter().zip(truth) {
            rows.push(format!("{id}_{label},{}", probability(number, truth)));
        }
    }
    rows.reverse();
    format!("ID,Label\n{}\n", rows.join("\n"))
}

/// The same probabilities as a training run writes them, with labels and groups.
pub fn validation_csv() -> String {
    let mut text = String::from("id,group");
    for prefix in ["label_", ""] {
        Label::ALL.iter().for_each(|label| text += &format!(",{prefix}{label}"));
    }
    for (number, (id, patient, truth)) in slices().enumerate() {
        text += &format!("\n{id},PatientID=p{patient}");
        truth.iter().for_each(|&truth| text += &format!(",{}", u8::from(truth)));
        truth.iter().for_each(|&truth| text += &format!(",{}", probability(number, truth)));
    }
    text + "\n"
}

/// Few resamples, for speed.
pub fn options() -> EvaluateOptions {
    EvaluateOptions {
        bootstrap: BootstrapOptions { repeats: 60, ..BootstrapOptions::default() },
        ..EvaluateOptions::default()
    }
}
