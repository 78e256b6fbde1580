//! Tests of the published surface of the experiments.

mod schema;
