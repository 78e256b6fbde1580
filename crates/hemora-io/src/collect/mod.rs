//! Files, folders and zip archives to studies and ordered series, and the choice of one of them.

mod assumed;
mod body_part;
mod choose;
mod collection;
mod contrast;
mod kernel;
mod levels;
mod series;
mod spacing;
mod walk;
mod warning;
mod words;

pub use choose::{COVERAGE, SelectionRule, SeriesChoice, USUAL_THICKNESS, choose_series};
pub use collection::{
    Collection, ReadOptions, Skipped, collect, collect_sources, collect_with, group,
};
pub use series::{Series, Study};
pub(crate) use walk::is_clutter;
pub use walk::{SourceList, list_sources};
pub use warning::{SeriesWarning, SliceOrder};
