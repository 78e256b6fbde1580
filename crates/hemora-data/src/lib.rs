//! Data sets: label tables, the index, prepared sets, splits, augmentation and the batch loader.
//!
//! - [`build_index`] makes one Parquet table of DICOM files and their labels and brings it up to
//!   date; [`SetStats`] counts it. [`index_share`] makes one share of it, and [`merge_index`] one of all shares.
//! - [`prepare`](prepare()) makes of an index what a [`PrepareRecipe`] says, JPEGs or shards of HU, split by
//!   patient, with the same bytes every time; [`store_split`] keeps a split in the index.
//! - [`LabelTable`] reads a competition label table, with [`LabelTable::read_partial`] also one of which
//!   some labels are not known; [`ImageSet`] pairs it with images and
//!   [`ImageSet::load`] decodes them into an [`InMemorySet`], as do [`ImageSet::load_hu`] and
//!   [`InMemorySet::open_hu`] in HU; a [`JpegSet`] leaves them on disk.
//! - An [`Annotation`] says which labels each pixel of an image has ([`InMemorySet::annotate`]), and a
//!   [`WeightTable`] how much each image's labels count.
//! - [`Groups`] knows which images share a patient, and [`split`] and [`k_folds`] keep them on one
//!   side; a [`SplitTable`] says it image by image.
//! - [`SliceTable`] and [`SliceFeatures`] hold what the network of single slices says of each slice,
//!   for networks that read whole series.
//! - [`CellWriter`] and [`CellReader`] write and read any other table of rows, a group at a time.
//! - [`Loader`] turns the set into augmented batches, the same for a seed whatever the number of
//!   threads: single images, or windows of the series that [`Stacks`] knows.

mod annotation;
mod assembly;
mod augment;
mod augment_presets;
mod batch;
mod blend;
mod cell_table;
mod decode;
mod donors;
mod draw;
mod effects;
mod folder_lock;
mod groups;
mod hu_set;
mod images;
mod index;
mod jpeg_set;
mod known_labels;
mod label_maps;
mod labels;
mod loader;
mod memory;
mod options;
mod order;
mod parquet_meaning;
mod parquet_table;
mod parquet_write;
mod partial_labels;
mod prepare;
mod prepared_set;
mod row_groups;
mod row_numbers;
mod sampling;
mod series_order;
mod slice_features;
mod slice_table;
mod split;
mod split_table;
mod stacks;
mod table;
mod table_column;
mod table_file;
mod warp;
mod weight_table;
mod windows;

pub use annotation::{Annotation, AnnotationError, AnnotationReport};
pub use augment::{Augment, AugmentError};
pub use augment_presets::AugmentFileError;
pub use batch::Batch;
pub use blend::{Blend, Blended, Head, Mask};
pub use cell_table::{CellReader, CellTableError, CellWriter, Columns};
pub use draw::Draw;
pub use folder_lock::FolderLock;
pub use groups::Groups;
pub use images::{DataError, ImageEntry, ImageKind, ImageSet, PairingReport};
pub use index::{
    Cell, Counted, FileStamp, IndexError, IndexReader, IndexReport, Kind, LabelJoin, SetStats,
    SliceRow, build_index, index_share, job_kind, merge_index,
};
pub use jpeg_set::{JpegSet, LoaderSet};
pub use label_maps::Maps;
pub use labels::{Incomplete, LabelReport, LabelTable, parse_label};
pub use loader::{Epoch, Loader};
pub use memory::{InMemorySet, SkippedImage};
pub use options::{LoaderError, LoaderOptions, Share};
pub use prepare::{
    Crop, Negatives, Output, PrepareError, PrepareRecipe, PrepareRecipeError, PrepareReport,
    PreparedChannel, Renderer, Selection, SharedPictures, SplitBy, SplitInto, SplitReport,
    SplitRule, prepare, prepare_share, store_split,
};
pub use prepared_set::{PreparedSet, SetSlice};
pub use row_numbers::RowNumbers;
pub use slice_features::{FeaturesError, SliceFeatures};
pub use slice_table::{SliceScore, SliceTable, SliceTableError};
pub use split::{Split, SplitError, k_folds, leaks, partition, split};
pub use split_table::{Part, SplitTable};
pub use stacks::{NoStack, Stacks};
pub use table::{Table, TableError, shorten, with_file};
pub use table_column::{GroupTable, TableColumn, TableColumnError};
pub use table_file::{TableFile, open_table};
pub use weight_table::WeightTable;
pub use windows::Window;
