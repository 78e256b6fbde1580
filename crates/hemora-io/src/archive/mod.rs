//! Zip and tar archives: their entries as sources. Nothing is unpacked to disk.

mod kind;
mod listing;
mod tar;
mod tar_listing;
mod zip;

pub(crate) use kind::{Kind, has_archive_name};
pub(crate) use listing::{entries, with_entry};
pub(crate) use tar::{entry_of, inflated};

use listing::{Identity, Listed, changed};
