//! The results document, `study.json` (`schemas/study-1.schema.json`).

use hemora_ct::Label;
use hemora_evaluation::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::study::baseline::Baseline;
use crate::study::figures::LabelFigures;
use crate::study::selection::PartCounts;
use crate::study::set::SetSummary;
use crate::study::summary::Summary;
use crate::study::{Cell, Draw, StudyOptions};

/// Version of the document; raised when a reader of the old one could misread the new.
pub const SCHEMA_VERSION: u32 = 1;

/// What a study came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyDocument {
    /// Version of this document's schema, 1.
    pub schema_version: u32,
    /// States that the result is for research use and not for diagnosis.
    pub notice: String,
    /// The program that made it.
    pub tool: Tool,
    /// What was asked for.
    pub options: StudyOptions,
    /// The images.
    pub set: SetSummary,
    /// Where networks were trained, as the trainer reports it; absent before the first cell.
    pub device: Option<String>,
    /// Cells of the plan.
    pub planned: u64,
    /// The images of the cells, and what is reached without looking at them.
    pub draws: Vec<DrawResult>,
    /// The cells, in the order of the plan; those that are missing were not run yet.
    pub cells: Vec<CellResult>,
    /// Mean and spread over the repeats, of networks and baselines.
    pub summaries: Vec<Summary>,
    /// What the seed study reports.
    pub reported: Vec<Reported>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// The images of some cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawResult {
    /// Which.
    pub draw: Draw,
    /// Seed of the sample, the split and the weights.
    pub seed: u64,
    /// Training, validation and test images.
    pub parts: Vec<PartCounts>,
    /// Known patients that have images in several parts; 0 unless the split is by image.
    pub shared_patients: u64,
    /// Why no cell of it can be run; absent if they can.
    pub impossible: Option<String>,
    /// What is reached without looking at the pixels.
    pub baselines: Vec<Baseline>,
}

/// One training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellResult {
    /// The network.
    pub network: String,
    /// Its images.
    pub draw: Draw,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was trained and measured.
    Measured(Box<Measured>),
    /// It cannot be run, and why.
    Impossible(String),
    /// It failed, and why.
    Failed(String),
}

/// The figures of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The epochs.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights were kept, from 1: the one with the highest mean AUC on validation.
    pub best_epoch: Option<u64>,
    /// Seconds of the program, reading included; of the last start if it was stopped in between.
    pub seconds: f64,
    /// Where it ran, as the trainer reports it.
    pub device: Option<String>,
    /// Test images of the selection that could not be read.
    pub missing: u64,
    /// Figures by label, on the test images.
    pub figures: Vec<LabelFigures>,
}

/// One epoch of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Epoch {
    /// Epochs finished, from 1.
    pub epoch: u64,
    /// Mean training loss.
    pub train_loss: f64,
    /// Validation loss.
    pub validation_loss: f64,
    /// Mean validation AUC of the labels that have one.
    pub mean_auroc: Option<f64>,
}

/// A row of the seed study's own results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// The network.
    pub network: String,
    /// Fewest subtypes of a positive slice.
    pub types: usize,
    /// Area under the curve.
    pub auc: f64,
    /// Accuracy.
    pub accuracy: f64,
    /// Mean squared error.
    pub mse: f64,
}

/// Accuracy that the seed study reaches on the same set with the answer "none" alone.
pub const REPORTED_MAJORITY: f64 = 0.7534;

/// What the seed study reports, for 3 and more subtypes (docs/references.md#seed-networks). Its figures for the other
/// subsets are not on record.
pub fn reported() -> Vec<Reported> {
    [
        ("simple-nn", 0.90, 0.8411, 0.137),
        ("deep-cnn", 0.93, 0.9217, 0.0663),
        ("resnet50", 0.99, 0.8991, 0.0694),
    ]
    .map(|(network, auc, accuracy, mse)| Reported {
        network: network.to_owned(),
        types: 3,
        auc,
        accuracy,
        mse,
    })
    .to_vec()
}

impl CellResult {
    /// Network, question, split and repeat in words.
    pub fn name(&self) -> String {
        Cell { network: self.network.clone(), draw: self.draw }.to_string()
    }
}

impl StudyDocument {
    /// The result of a cell; `None` if it was not run yet.
    pub fn cell(&self, cell: &Cell) -> Option<&CellResult> {
        self.cells.iter().find(|one| one.network == cell.network && one.draw == cell.draw)
    }

    /// The figures of a cell for one label.
    pub fn figures(&self, cell: &Cell, label: Label) -> Option<&LabelFigures> {
        match &self.cell(cell)?.outcome {
            Outcome::Measured(measured) => {
                measured.figures.iter().find(|figures| figures.label == label)
            }
            Outcome::Impossible(_) | Outcome::Failed(_) => None,
        }
    }

    /// Cells that failed.
    pub fn failed(&self) -> usize {
        self.cells.iter().filter(|cell| matches!(cell.outcome, Outcome::Failed(_))).count()
    }
}

/// The JSON schema of the document, `schemas/study-1.schema.json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(StudyDocument).to_value()
}
