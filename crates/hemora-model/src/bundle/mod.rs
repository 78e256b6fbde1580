//! The model bundle `*.hemora`: one or more networks of slices with all that is needed to use them rightly.

mod archive;
mod error;
mod file;
mod info;
mod member;
mod metric;
mod series;

pub use error::BundleError;
pub use file::{Bundle, BundleNetworks, MemberNetworks};
pub use info::{FORMAT_VERSION, ModelInfo};
pub use member::{MOST_MEMBERS, Member, NetworkRef, member_folder};
pub use metric::Metric;
pub use series::{
    BundleSeries, FeatureError, MOST_SERIES_NETWORKS, SeriesStage, check_features, series_entry,
};
