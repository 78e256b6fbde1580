//! Tables of out-of-fold predictions to an ensemble: what it is made of and how good each way is.

mod document;
mod fit;
mod tables;
#[cfg(test)]
mod tests;

pub use document::{
    ENSEMBLE_VERSION, EnsembleFit, EnsembleLabel, EnsembleLosses, EnsembleMethod, FittedModel,
    read_ensemble_fit,
};
pub use fit::{DEFAULT_NEIGHBOURS, EnsembleOptions, fit_ensemble};
