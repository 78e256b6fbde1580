//! DICOM files, NIfTI volumes and pictures to Hounsfield units, HU to DICOM files, maps to NIfTI volumes.
//!
//! [`collect`] reads the headers of files, folders and archives and groups them into studies
//! and series ordered along the slice normal; [`Series::read_slice`] and [`read_slice`] decode one
//! image to HU; [`write_slice`] writes one as a DICOM file, [`write_volume`] a volume of
//! bytes, [`VolumeWriter`] any volume piece by piece.
//!
//! A format is a folder in `src/formats` and its lines in `src/formats/mod.rs`.
//!
//! | supported | |
//! |---|---|
//! | files | with or without preamble and meta header, plain or in gzip; entries of zip archives and of tar archives, plain or in gzip; every frame of an enhanced CT object |
//! | object storage | `s3://bucket/key`, or all objects below `s3://bucket/prefix`, where the program is built with it; no archives there |
//! | volumes | NIfTI-1 and NIfTI-2 in one file, plain or in gzip, either byte order, integers of up to 32 bits and real numbers |
//! | pictures | 8-bit grey PNG and JPEG, in a window that the user declares ([`ReadOptions`]) |
//! | data sets | implicit and explicit little endian, explicit big endian, deflated |
//! | pixels | native; RLE; JPEG: baseline, extended with 8 and 12 bits, lossless, and the retired progressive processes; JPEG-LS; JPEG 2000 and High-Throughput JPEG 2000 |
//! | with the feature `jpeg-xl` | JPEG XL |
//! | refused with the reason | other modalities, colour, several frames in an object that is no enhanced CT, video |
//!
//! Every codec is Rust and builds with plain cargo. `jpeg-xl` is a feature because it alone costs
//! about a minute to build.

mod archive;
mod cache;
mod codec;
mod collect;
mod error;
mod formats;
mod header;
mod objects;
mod reader;
mod source;
mod uid;

pub use collect::{
    Collection, ReadOptions, SelectionRule, Series, SeriesChoice, SeriesWarning, Skipped,
    SliceOrder, SourceList, Study, choose_series, collect, collect_sources, collect_with, group,
    list_share, list_sources,
};
pub use error::ReadError;
pub use formats::dicom::{
    Identity, NewSlice, PixelStorage, WriteError, read_identity, write_slice,
};
pub use formats::nifti::{NewVolume, VolumeFrame, VolumeWriter, Voxel, write_volume};
pub use formats::picture::{
    JpegError, JpegPixels, MAX_SIDE, PictureWindow, PictureWindowError, PngError, PngPixels,
    jpeg_channels, read_jpeg, read_jpeg_pixels, read_png, read_png_pixels,
};
pub use header::{AssumedGeometry, FileFormat, SliceHeader, StoredFormat};
pub use objects::{FileState, is_object, with_readers};
pub use reader::{Reader, decode_slices, read_header, read_headers, read_slice, read_slices};
pub use source::{FileBytes, Source, read_bytes};
pub use uid::is_uid_like;
