//! How far triage is, and how its caller stops it.

use std::fmt;
use std::ops::ControlFlow;

/// The steps of triage, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Headers are read; counts files.
    ReadHeaders,
    /// Slices are decoded and scored; counts slices.
    ScoreSlices,
    /// Key slices and their activation maps are made; counts studies.
    DrawSlices,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ReadHeaders => "reading headers",
            Self::ScoreSlices => "scoring slices",
            Self::DrawSlices => "drawing slices",
        })
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The step.
    pub step: Step,
    /// How many are done; calls from several threads may arrive out of order.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// Gets the progress, from any thread, and stops triage by [`ControlFlow::Break`]: what is at work
/// ends, nothing new begins. A break while slices are drawn leaves the result with the key slices that
/// there are; one after the last file or slice of a step comes too late to stop that step.
pub type ProgressCallback<'a> = &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync);
