//! Real files and the Python peers, where there are some.

pub use hemora_testing::{dicom_files, python, shared as folder};
