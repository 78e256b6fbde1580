//! Files, folders and archives to studies and ordered series, and the choice of one of them.

mod assumed;
mod body_part;
mod choose;
mod collection;
mod contrast;
mod kernel;
mod levels;
mod rules;
mod series;
mod spacing;
mod walk;
mod warning;
mod words;

pub use choose::{SeriesChoice, choose_series};
pub use collection::{
    Collection, ReadOptions, Skipped, collect, collect_sources, collect_with, group,
};
pub use rules::SelectionRule;
pub use series::{Series, Study};
pub(crate) use walk::is_clutter;
pub use walk::{SourceList, list_share, list_sources};
pub use warning::{SeriesWarning, SliceOrder};
