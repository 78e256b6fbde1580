//! All that triage gives: the result, the slices to look at first, and how long it took.

use crate::{KeySlice, TriageResult};

/// What triage gives to those who write files or show pages.
#[derive(Debug, Clone)]
pub struct TriageOutput {
    /// The result document.
    pub result: TriageResult,
    /// The slices to look at first, study by study in the order of the result, the most suspicious
    /// slice of a study first.
    pub key_slices: Vec<KeySlice>,
    /// How long each step took.
    pub timings: Timings,
}

/// Seconds of each step, from its begin to its end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timings {
    /// Reading headers; 0 for studies whose headers were read before.
    pub headers_s: f64,
    /// Decoding and scoring slices.
    pub scoring_s: f64,
    /// Choosing the key slices and computing their activation maps.
    pub key_slices_s: f64,
    /// What the cores did while slices were scored.
    pub work: ScoringWork,
}

/// Seconds of scoring by what was done, the sums of all cores: with two cores at work for a second it is two.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScoringWork {
    /// Reading files, decoding pixels, turning slices upright and checking their HU.
    pub decoding_s: f64,
    /// Making the networks' inputs: windows and sizes.
    pub inputs_s: f64,
    /// Networks of single slices.
    pub networks_s: f64,
}
