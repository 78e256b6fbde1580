//! The index of a data set: a row an image file, as Parquet.

mod alike;
mod build;
mod cells;
mod columns;
mod examine;
mod file;
mod join;
mod lock;
mod manifest;
mod merge;
mod page;
mod parts;
mod row;
mod share;
mod stamp;
mod stats;
mod tables;

pub(crate) use alike::{Alike, Look};
pub(crate) use build::REPEATED_ID;
pub use build::{IndexReport, build_index};
pub use cells::{Cell, Kind};
pub(crate) use examine::LOCALIZER;
pub(crate) use file::write_index;
pub use file::{IndexError, IndexReader};
pub use join::LabelJoin;
pub(crate) use lock::IndexLock;
pub use merge::{job_kind, merge_index};
pub use row::SliceRow;
pub use share::index_share;
pub use stamp::FileStamp;
pub use stats::{Counted, SetStats};
