//! What readers see of a result: documents that are made as a study is scored and kept until its images go,
//! and the pixels of its slices.

mod findings;
mod image;
mod kept;
mod maps;
mod pixels;
mod series;
mod volume;

pub(crate) use findings::findings;
pub(crate) use image::{Images, NoImage, read};
pub(crate) use kept::{KeptView, gzip};
pub(crate) use maps::study_maps;
pub(crate) use pixels::{HuImage, reduced};
pub(crate) use series::{kept_view, left_out};
pub(crate) use volume::NewHuVolume;

/// Name of the artifact that holds a [`KeptView`] (JSON in gzip).
pub(crate) const VIEW: &str = "view";
/// Name of the artifact that holds [`StudyMaps`](crate::http::types::StudyMaps) (JSON in gzip).
pub(crate) const MAPS: &str = "maps";
