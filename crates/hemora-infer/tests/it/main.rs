//! Engines, bundles and triage, against real files and real peers.

mod bundle;
mod engines;
#[path = "../../../hemora-train/tests/formula/mod.rs"]
mod formula;
mod networks;
mod schema;
mod sequences;
mod support;
mod triage;
