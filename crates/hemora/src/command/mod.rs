//! The commands, a module each.

pub mod average;
pub mod bundle;
mod bundle_series;
pub mod calibrate;
mod card;
pub mod compare;
pub mod demo;
pub mod ensemble;
mod ensemble_card;
pub mod evaluate;
pub mod fitted;
pub mod import;
pub mod index;
pub mod model;
pub mod prepare;
pub mod recipe;
pub mod study;
pub mod synth;
pub mod train;
mod trained;
pub mod triage;
