//! The binary, run as a user runs it.

mod archive;
mod average;
mod bundle;
mod cli;
mod data;
mod default_model;
mod doctor;
mod ensemble;
mod evaluate;
mod files;
mod halve;
mod maps;
#[cfg(feature = "s3")]
mod objects;
mod recipe;
mod serve;
mod shares;
mod study;
mod support;
