//! What the API says, version 1: each field is written once here, and `schemas/node-1.openapi.json` is made of
//! it.

mod people;
mod quality;
mod reading;
mod studies;
mod system;
mod thresholds;
mod view;

pub use people::*;
pub use quality::*;
pub use reading::*;
pub use studies::*;
pub use system::*;
pub use thresholds::*;
pub use view::*;

use schemars::JsonSchema;
use serde::Serialize;

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Done {
    /// What was done.
    pub done: String,
}

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// What is wrong and what to do.
    pub error: String,
}
