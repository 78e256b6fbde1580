//! The commands, a module each.

pub mod archive;
pub mod average;
pub mod bundle;
pub mod calibrate;
pub mod compare;
pub mod demo;
pub mod doctor;
pub mod ensemble;
pub mod evaluate;
pub mod halve;
pub mod import;
pub mod index;
pub mod manual;
mod maps;
pub mod merge;
pub mod model;
pub mod prepare;
pub mod recipe;
pub mod serve;
pub mod study;
pub mod synth;
pub mod train;
pub mod triage;
