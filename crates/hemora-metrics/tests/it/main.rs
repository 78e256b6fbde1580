//! Metrics against peers and simulations.

mod coverage;
mod delong;
mod scikit_learn;
mod support;
