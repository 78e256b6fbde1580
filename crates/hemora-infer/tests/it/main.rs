//! Engines, bundles and triage, against real files and real peers.

mod archive;
mod dense;
mod documents;
mod engines;
mod ensemble;
mod ensemble_series;
mod heads;
mod key_maps;
mod key_slices;
mod maps;
mod networks;
mod pipeline;
mod sequences;
mod series;
mod series_bundle;
mod slabs;
mod support;
mod triage;
mod views;
