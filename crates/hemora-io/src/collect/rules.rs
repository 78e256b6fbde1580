//! The rules by which one series of a study goes before another, and what they ask of a series.

use std::cmp::{Ordering, Reverse};
use std::fmt;

use hemora_ct::stack;

use super::contrast::has_contrast;
use super::kernel::Kernel;
use super::levels::Levels;
use super::series::compare_uids;
use crate::{Series, SeriesWarning};

/// The rules by which one readable series goes before another, the first that tells them apart
/// deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SelectionRule {
    /// The header names no part of the body other than the head.
    Head,
    /// ImageType says ORIGINAL, or nothing; then DERIVED; then a reformat or projection.
    Original,
    /// No contrast agent: it looks like blood.
    NoContrast,
    /// At least 80 mm from the first slice to the last.
    CoversHead,
    /// A soft-tissue kernel; then an unknown one; then a bone kernel.
    SoftKernel,
    /// Slices as thick as those that readers and models are used to, 5 mm.
    UsualThickness,
    /// More slices.
    MoreSlices,
    /// All the same: the lower SeriesInstanceUID, then the earlier part of a series that was split, so
    /// that the choice is always the same.
    LowerUid,
}

/// A head is about 150 mm high; most of it must be there, mm.
const COVERAGE: f64 = 80.0;
/// Thickness of the slices that heads are usually read in, mm.
const USUAL_THICKNESS: f64 = 5.0;
/// As many slices as that, where their positions are unknown, are held to cover a head.
const COVERING_SLICES: usize = 12;

impl SelectionRule {
    /// All rules in the order in which they decide.
    pub const ALL: [Self; 8] = [
        Self::Head,
        Self::Original,
        Self::NoContrast,
        Self::CoversHead,
        Self::SoftKernel,
        Self::UsualThickness,
        Self::MoreSlices,
        Self::LowerUid,
    ];
}

impl fmt::Display for SelectionRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Head => "series that name no other part of the body before those that do",
            Self::Original => "original images before derived ones and reformats",
            Self::NoContrast => "images without contrast agent before those with",
            Self::CoversHead => {
                return write!(formatter, "series of at least {COVERAGE} mm before shorter ones");
            }
            Self::SoftKernel => "soft-tissue kernels before unknown and bone kernels",
            Self::UsualThickness => {
                return write!(formatter, "slices nearest to {USUAL_THICKNESS} mm thick");
            }
            Self::MoreSlices => "the series with more slices",
            Self::LowerUid => "the lower SeriesInstanceUID, or the earlier part of one series",
        };
        formatter.write_str(text)
    }
}

/// What the rules ask of a series.
pub(super) struct Facts<'a> {
    pub(super) series: &'a Series,
    /// The attribute that names another part of the body than the head, and its value.
    other_part: Option<(&'static str, &'a str)>,
    pub(super) levels: Levels,
    /// FrameOfReferenceUID, if any.
    frame: Option<&'a str>,
    /// Which part, of a series that was split.
    part: Option<usize>,
    /// 0 original, 1 derived, 2 a reformat or projection.
    derived: u8,
    contrast: bool,
    /// mm, if the positions are known.
    extent: Option<f64>,
    pub(super) kernel: Kernel,
    /// mm, if known.
    thickness: Option<f64>,
}

impl<'a> Facts<'a> {
    pub(super) fn from_series(series: &'a Series) -> Self {
        let positions = stack::positions(series.slices.iter().map(|slice| slice.plane));
        let positions: Vec<f64> = positions.into_iter().flatten().collect();
        let ends = positions.first().zip(positions.last());
        let declared = series.slices.iter().find_map(|slice| slice.slice_thickness);
        let other_part = series.warnings.iter().find_map(|warning| match warning {
            SeriesWarning::OtherBodyPart { attribute, value } => Some((*attribute, &**value)),
            _ => None,
        });
        let part = series.warnings.iter().find_map(|warning| match warning {
            SeriesWarning::Split { part, .. } => Some(*part),
            _ => None,
        });
        let mut frames = series.slices.iter().map(|slice| slice.frame_of_reference_uid.as_deref());
        Self {
            series,
            other_part,
            levels: Levels::from_series(series),
            frame: frames.find_map(|frame| frame),
            part,
            derived: derived(series).0,
            contrast: has_contrast(series),
            extent: ends.map(|(first, last)| last - first),
            kernel: Kernel::from_series(series),
            thickness: declared.or_else(|| stack::median_spacing(&positions)),
        }
    }

    fn covers(&self) -> bool {
        match self.extent {
            Some(extent) => extent >= COVERAGE,
            None => self.series.slices.len() >= COVERING_SLICES,
        }
    }

    /// Whether the positions of two series can be compared: their frame of reference is the same, or
    /// one of them is unknown.
    pub(super) fn shares_frame(&self, other: &Self) -> bool {
        self.frame.zip(other.frame).is_none_or(|(this, other)| this == other)
    }

    /// Whether the series may be read beside the chosen one, as far as it was taken as that was.
    pub(super) fn is_like(&self, chosen: &Self) -> bool {
        self.other_part.is_some() == chosen.other_part.is_some()
            && self.contrast <= chosen.contrast
            && (self.derived < 2 || chosen.derived == 2)
    }

    /// Tenths of a millimetre away from the usual thickness; last if it is unknown.
    fn unusual(&self) -> u32 {
        let away = |thickness: f64| ((thickness - USUAL_THICKNESS).abs() * 10.0).round() as u32;
        self.thickness.map_or(u32::MAX, away)
    }

    /// The rule that tells two series apart, and which goes first.
    pub(super) fn compare(&self, other: &Self) -> (SelectionRule, Ordering) {
        let by = |rule: SelectionRule| match rule {
            SelectionRule::Head => self.other_part.is_some().cmp(&other.other_part.is_some()),
            SelectionRule::Original => self.derived.cmp(&other.derived),
            SelectionRule::NoContrast => self.contrast.cmp(&other.contrast),
            SelectionRule::CoversHead => other.covers().cmp(&self.covers()),
            SelectionRule::SoftKernel => self.kernel.cmp(&other.kernel),
            SelectionRule::UsualThickness => self.unusual().cmp(&other.unusual()),
            SelectionRule::MoreSlices => {
                let slices = |facts: &Self| Reverse(facts.series.slices.len());
                slices(self).cmp(&slices(other))
            }
            SelectionRule::LowerUid => {
                let uid = |facts: &Self| facts.series.uid.as_deref();
                compare_uids(uid(self), uid(other)).then(self.part.cmp(&other.part))
            }
        };
        let orders = SelectionRule::ALL.into_iter().map(|rule| (rule, by(rule)));
        let mut deciding = orders.filter(|(_, order)| order.is_ne());
        // Series without a UID may be the same in everything: then the first stays first.
        deciding.next().unwrap_or((SelectionRule::LowerUid, Ordering::Equal))
    }

    /// What a rule finds of the series, for a reader.
    pub(super) fn describe(&self, rule: SelectionRule) -> String {
        let millimetres = |length: Option<f64>| match length {
            Some(length) => format!("{length:.1} mm"),
            None => "unknown".to_owned(),
        };
        match rule {
            SelectionRule::Head => match &self.other_part {
                Some((attribute, value)) => format!("{attribute} {value:?}"),
                None => "none named".to_owned(),
            },
            SelectionRule::Original => match derived(self.series).1 {
                [] => "no ImageType".to_owned(),
                values => values.join("\\"),
            },
            SelectionRule::NoContrast if self.contrast => "with contrast agent".to_owned(),
            SelectionRule::NoContrast => "without contrast agent".to_owned(),
            SelectionRule::CoversHead => millimetres(self.extent),
            SelectionRule::SoftKernel => match self.kernel {
                Kernel::Soft => "soft-tissue kernel".to_owned(),
                Kernel::Unknown => "unknown kernel".to_owned(),
                Kernel::Sharp => "bone kernel".to_owned(),
            },
            SelectionRule::UsualThickness => millimetres(self.thickness),
            SelectionRule::MoreSlices => format!("{} slices", self.series.slices.len()),
            SelectionRule::LowerUid => match self.part {
                Some(part) => format!("part {part} of {}", self.series.id()),
                None => self.series.id().into_owned(),
            },
        }
    }
}

/// How far a series is from what the scanner reconstructed first, and the ImageType that says so. Lossy compression alone makes an
/// image DERIVED (PS3.3 C.7.6.1.1.2), but leaves it PRIMARY.
fn derived(series: &Series) -> (u8, &[String]) {
    const SECONDARY: [&str; 9] = [
        "SECONDARY",
        "REFORMATTED",
        "MPR",
        "CSA MPR",
        "MIP",
        "MINIP",
        "PROJECTION IMAGE",
        "VOLUME RENDERED",
        "SCREEN SAVE",
    ];
    let rank = |values: &[String]| -> u8 {
        let has = |wanted: &str| values.iter().any(|value| value.eq_ignore_ascii_case(wanted));
        match (has("DERIVED"), SECONDARY.iter().any(|wanted| has(wanted))) {
            (_, true) => 2,
            (true, false) => 1,
            (false, false) => 0,
        }
    };
    let types = series.slices.iter().map(|slice| slice.image_type.as_slice());
    // Of those of one rank the first, and rather one that says something.
    let farthest = types.rev().max_by_key(|values| (rank(values), !values.is_empty()));
    farthest.map_or((0, &[][..]), |values| (rank(values), values))
}
