//! Engines, bundles and triage, against real files and real peers.

mod bundle;
mod engines;
mod schema;
mod support;
mod triage;
