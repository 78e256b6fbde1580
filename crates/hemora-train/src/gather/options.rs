//! What `hemora-train gather` is asked for.

use std::path::PathBuf;

use clap::Args;
use hemora_data::GroupTable;

use crate::output::Show;

/// Which sets are gathered, and where to.
#[derive(Debug, Clone, Args)]
pub struct GatherOptions {
    /// Slices of the RSNA competition as 8-bit grey PNG in the brain window, named by their ids.
    #[arg(long, value_name = "DIR", requires = "rsna_labels")]
    pub rsna_png: Option<PathBuf>,

    /// Their labels, in the competition's layout (`ID,Label`).
    #[arg(long, value_name = "CSV", requires = "rsna_png")]
    pub rsna_labels: Option<PathBuf>,

    /// Tables of the patients of the competition's slices: a table with the columns sop and patient (and
    /// slice, the place in the scan), one row a series with columns scan_id, image_0, image_1, …, or
    /// CSV:ID_COLUMN:GROUP_COLUMN. A slice in none of them is a group of its own.
    #[arg(long, value_name = "CSV")]
    pub rsna_patients: Vec<GroupTable>,

    /// Folder with DICOM files of the competition, named by their ids; may be given more than once.
    #[arg(long, value_name = "DIR", requires = "dicom_labels")]
    pub dicom: Vec<PathBuf>,

    /// Their labels in the competition's layout, one table for each --dicom.
    #[arg(long, value_name = "CSV", requires = "dicom")]
    pub dicom_labels: Vec<PathBuf>,

    /// Folder of PHE-SICH-CT-IDS: png, labels.csv and slices.csv.
    #[arg(long, value_name = "DIR")]
    pub phe_sich: Option<PathBuf>,

    /// Folder of slices of MBH-Seg25: png, masks and info.csv.
    #[arg(long, value_name = "DIR")]
    pub mbh_seg: Option<PathBuf>,

    /// Masks of intraparenchymal or intraventricular blood, not told apart, of slices of --rsna-png and
    /// --dicom: PNG of the slice's shape, named by its id.
    #[arg(long, value_name = "DIR")]
    pub masks: Option<PathBuf>,

    /// Largest height and width of the pictures that are written, pixels; smaller ones stay as they are.
    #[arg(long, default_value_t = 320, value_parser = clap::value_parser!(u16).range(32..=4096))]
    pub size: u16,

    /// Folder to write; a new or empty one.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// How progress is shown.
    #[arg(long, value_enum, default_value_t = Show::Auto)]
    pub progress: Show,
}
