//! Everything between probabilities and a claim: metrics, intervals, comparisons, calibration and
//! operating points. No I/O, no engine.
//!
//! - Ranking: [`Ranked`] sorts once and gives AUROC, average precision and both curves; [`auroc`]
//!   and its like do so for one question.
//! - Probabilities: [`log_loss`], [`competition_log_loss`], [`brier`], [`reliability`],
//!   [`expected_calibration_error`].
//! - Decisions: [`Confusion`], [`DECISION_METRICS`], [`decision_curve`], [`OperatingRule`].
//! - Uncertainty: [`cluster_bootstrap`] and [`bootstrap_counts`] resample whole patients (the
//!   slices of a patient are not independent), [`delong`], [`wilson`], [`clopper_pearson`].
//! - Two models: [`compare`], [`delong_paired`], [`holm`].
//! - [`Calibrator`], and from slices to studies [`Aggregation`] and [`LearnedAggregation`]; from
//!   slices to lesions [`lesions`].
//! - Several models as one: [`fit_weighted_mean`] and [`fit_stacking`] on their [`OutOfFold`]
//!   predictions.
//! - [`measure`] does all of it for a set of items; [`fit`] fits a calibration and chooses
//!   operating points.
//!
//! A metric that is not defined (AUROC of one class) is `None`, never a number.

mod aggregate;
mod bootstrap;
mod calibration;
mod certainty;
mod clusters;
mod compare;
mod confusion;
mod curve;
mod decisions;
mod delong;
mod ensemble;
mod error;
mod fit;
mod hierarchy;
mod learned;
mod lesion;
mod measure;
mod metrics;
mod normal;
mod operating;
mod order;
mod points;
mod probability;
mod proportion;
mod quantile;
mod ranked;
mod ranking;
mod reliability;
mod resample;

pub use aggregate::{Aggregation, LabelColumn, Level, series_from_slices, studies_from_series};
pub use bootstrap::{
    BootstrapMethod, BootstrapOptions, Interval, Resamples, bootstrap_counts, cluster_bootstrap,
};
pub use calibration::{
    Calibration, CalibrationMethod, Calibrator, Isotonic, LabelCalibration, fit_platt,
    fit_temperature, log_odds, sigmoid,
};
pub use certainty::{CertaintyFit, CertaintyFold, Verdict};
pub use clusters::Clusters;
pub use compare::{Difference, compare, holm};
pub use confusion::Confusion;
pub use curve::{DecisionPoint, PrecisionRecallPoint, RocPoint, decision_curve, thin};
pub use decisions::{AtPrevalence, DECISION_METRICS, DecisionMetric, Decisions};
pub use delong::{DeLong, PairedDeLong, delong, delong_paired};
pub use ensemble::{
    LabelWeights, MOST_MODELS, MOST_NEIGHBOURS, OutOfFold, StackNode, StackedLabel, Stacking,
    StackingFit, WeightedMean, are_weights, fit_stacking, fit_weighted_mean, fit_weights,
    mean_of_models,
};
pub use error::MetricError;
pub use fit::{FIT_VERSION, FitOptions, FitReport, LabelFit, ProbabilityScores, fit};
pub use hierarchy::{Hierarchy, LevelSet};
pub use learned::{LearnedAggregation, LearnedLabel, whole};
pub use lesion::{LesionDecisions, LesionLength, LesionMetrics, Stacks, lesions};
pub use measure::{MeasureOptions, measure};
pub use metrics::{LabelMetrics, SetMetrics};
pub use operating::{OperatingPoint, OperatingRule, Origin};
pub use probability::{
    LABEL_COUNT, LABEL_WEIGHTS, brier, brier_weighted, competition_log_loss, log_loss,
    log_loss_weighted,
};
pub use proportion::{Proportion, clopper_pearson, wilson};
pub use quantile::quantile;
pub use ranked::{Ranked, Step};
pub use ranking::{auroc, auroc_weighted, average_precision, average_precision_weighted};
pub use reliability::{ReliabilityBin, expected_calibration_error, reliability};
pub use resample::{ClusterDecisions, ClusterSums, ClusteredRanking};
