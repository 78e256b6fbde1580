//! The commands, a module each.

pub mod bundle;
pub mod demo;
pub mod index;
pub mod model;
pub mod prepare;
pub mod synth;
pub mod train;
pub mod triage;
