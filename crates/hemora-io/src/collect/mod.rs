//! Files, folders and zip archives to studies and ordered series, and the choice of one of them.

mod choose;
mod collection;
mod kernel;
mod series;
mod walk;

pub use choose::{COVERAGE, SelectionRule, SeriesChoice, USUAL_THICKNESS, choose_series};
pub use collection::{
    Collection, ReadOptions, Skipped, collect, collect_sources, collect_with, group,
};
pub use series::{Series, SeriesWarning, Study};
pub(crate) use walk::is_clutter;
pub use walk::{SourceList, list_sources};
