//! Which series of a study is to be read, by rules that can be printed.

use std::cmp::{Ordering, Reverse};
use std::fmt;

use hemora_ct::stack;

use super::body_part::other_body_part;
use super::contrast::has_contrast;
use super::kernel::Kernel;
use super::levels::Levels;
use super::series::{compare_uids, is_localizer};
use super::words::{is_one, words};
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
    /// At least [`COVERAGE`] mm from the first slice to the last.
    CoversHead,
    /// A soft-tissue kernel; then an unknown one; then a bone kernel.
    SoftKernel,
    /// Slices as thick as those that readers and models are used to, [`USUAL_THICKNESS`] mm.
    UsualThickness,
    /// More slices.
    MoreSlices,
    /// All the same: the lower SeriesInstanceUID, so that the choice is always the same.
    LowerUid,
}

/// A head is about 150 mm high; most of it must be there, mm.
pub const COVERAGE: f64 = 80.0;
/// Thickness of the slices that heads are usually read in, mm.
pub const USUAL_THICKNESS: f64 = 5.0;
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
        formatter.write_str(match self {
            Self::Head => "series that name no other part of the body before those that do",
            Self::Original => "original images before derived ones and reformats",
            Self::NoContrast => "images without contrast agent before those with",
            Self::CoversHead => "series of at least 80 mm before shorter ones",
            Self::SoftKernel => "soft-tissue kernels before unknown and bone kernels",
            Self::UsualThickness => "slices nearest to 5 mm thick",
            Self::MoreSlices => "the series with more slices",
            Self::LowerUid => "the lower SeriesInstanceUID",
        })
    }
}

/// What becomes of a series of a study.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SeriesChoice {
    /// This is the one to read.
    Chosen,
    /// Read beside the chosen one: it shows levels of the same head that the chosen one does not.
    Complement {
        /// Those levels, from end to end, mm (z in the patient).
        levels: Vec<[f64; 2]>,
    },
    /// A scout or topogram.
    Localizer,
    /// Sagittal, coronal or steeply oblique slices, of which no model here was trained.
    NotAxial {
        /// “sagittal”, “coronal” or “oblique”.
        view: &'static str,
        /// Angle to the transverse plane, degrees.
        degrees: f64,
    },
    /// Another series goes before it.
    PassedOver {
        /// The rule that decided.
        rule: SelectionRule,
        /// What the rule finds of this series.
        this: String,
        /// What it finds of the chosen one.
        chosen: String,
        /// Levels that it shows and no series that is read, from end to end, mm (z in the
        /// patient).
        unread: Vec<[f64; 2]>,
    },
}

impl fmt::Display for SeriesChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen => write!(formatter, "chosen"),
            Self::Complement { levels } => write!(
                formatter,
                "read too: it covers {}, which the chosen series does not",
                Ranges(levels)
            ),
            Self::Localizer => write!(formatter, "left out: a localizer"),
            Self::NotAxial { view, degrees } => write!(
                formatter,
                "left out: {view}, {degrees:.0} degrees from the transverse plane; only axial \
                 slices are read"
            ),
            Self::PassedOver { rule, this, chosen, unread } => {
                write!(
                    formatter,
                    "passed over: {rule}: {this} here, {chosen} in the chosen series"
                )?;
                match unread.is_empty() {
                    true => Ok(()),
                    false => {
                        let levels = Ranges(unread);
                        write!(formatter, "; it covers {levels}, which no series that is read does")
                    }
                }
            }
        }
    }
}

/// Runs of levels, mm; the first few of many.
struct Ranges<'a>(&'a [[f64; 2]]);

impl fmt::Display for Ranges<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (index, [low, high]) in self.0.iter().take(SHOWN).enumerate() {
            let and = if index == 0 { "" } else { " and " };
            write!(formatter, "{and}{low:.1} to {high:.1} mm")?;
        }
        if self.0.len() > SHOWN {
            write!(formatter, " and {} more ranges", self.0.len() - SHOWN)?;
        }
        Ok(())
    }
}

/// A head with a tilted gantry is not higher than this, mm: what reaches farther is no longer one.
const HEAD_HEIGHT: f64 = 260.0;

/// The choice for each series of a study, in the order of `series`. Exactly one is
/// [`SeriesChoice::Chosen`] unless none is readable: localizers and series that are not axial are
/// never chosen, and of the others the one that [`SelectionRule::ALL`] puts first is.
///
/// Series at other levels of the same head do not compete with it, but are read beside it
/// ([`SeriesChoice::Complement`]): parts of the same SeriesInstanceUID that show a level of their
/// own, and series of one frame of reference that lie for the greater part where no other that
/// is read does, if both together are no higher than a head.
pub fn choose_series(series: &[Series]) -> Vec<SeriesChoice> {
    let refused: Vec<Option<SeriesChoice>> = series.iter().map(refusal).collect();
    let facts: Vec<Facts<'_>> = series.iter().map(Facts::from_series).collect();
    let mut order: Vec<usize> =
        (0..series.len()).filter(|&index| refused[index].is_none()).collect();
    order.sort_by(|&a, &b| facts[a].compare(&facts[b]).1);
    let mut read: Vec<usize> = Vec::new();
    for &index in &order {
        let others: Vec<&Facts<'_>> = read.iter().map(|&other| &facts[other]).collect();
        if others.is_empty() || facts[index].complements(&others) {
            read.push(index);
        }
    }
    let levels_beyond = |index: usize| {
        let others = read.iter().filter(|&&other| other != index);
        let others: Vec<&Levels> = others.map(|&other| &facts[other].levels).collect();
        let known = others.iter().any(|other| other.is_known());
        if known { facts[index].levels.beyond(&others).1 } else { Vec::new() }
    };
    let choice = |(index, refusal): (usize, Option<SeriesChoice>)| match (refusal, order.first()) {
        (Some(refusal), _) => refusal,
        (None, Some(&best)) if best != index => {
            if read.contains(&index) {
                return SeriesChoice::Complement { levels: levels_beyond(index) };
            }
            let (rule, _) = facts[best].compare(&facts[index]);
            let (this, chosen) = (facts[index].describe(rule), facts[best].describe(rule));
            SeriesChoice::PassedOver { rule, this, chosen, unread: levels_beyond(index) }
        }
        (None, _) => SeriesChoice::Chosen,
    };
    refused.into_iter().enumerate().map(choice).collect()
}

/// Whether a series consists of localizers: ImageType says so or, where it does not say AXIAL and no
/// stack of axial slices speaks against it, the description.
fn is_localizer_series(series: &Series) -> bool {
    const NAMES: &[&str] = &[
        "localizer",
        "localiser",
        "localizers",
        "localisers",
        "scout",
        "scouts",
        "topogram",
        "topograms",
        "topogramm",
        "topograma",
        "topogramma",
        "surview",
        "scanogram",
        "scanograma",
        "scanogramma",
        "scanogramme",
        "lokalizer",
        "localizador",
        "localizadores",
        "localizzatore",
        "pilot",
        "scoutview",
        "radiogramme",
    ];
    const STEMS: &[&str] = &["lokalis", "ubersichtsaufn", "uebersichtsaufn", "reperage"];
    if series.slices.iter().all(is_localizer) {
        return true;
    }
    // As few slices as this stand side by side in a localizer of several views.
    const FEW: usize = 4;
    let positions = stack::positions(series.slices.iter().map(|slice| slice.plane));
    let positions: Vec<f64> = positions.into_iter().flatten().collect();
    let is_axial = !series.warnings.iter().any(|it| matches!(it, SeriesWarning::NotAxial(_)));
    let is_stack = is_axial && stack::spacings(&positions).len() >= FEW;
    let typed = |value: &String| value.eq_ignore_ascii_case("AXIAL");
    let is_typed_axial = series.slices.iter().any(|slice| slice.image_type.iter().any(typed));
    let description = series.description.as_deref().unwrap_or_default();
    let is_named = || words(description).iter().any(|word| is_one(word, NAMES, STEMS));
    !is_stack && !is_typed_axial && is_named()
}

fn refusal(series: &Series) -> Option<SeriesChoice> {
    if is_localizer_series(series) {
        return Some(SeriesChoice::Localizer);
    }
    let not_axial = |warning: &SeriesWarning| match *warning {
        SeriesWarning::NotAxial(degrees) => Some(degrees),
        _ => None,
    };
    let degrees = series.warnings.iter().find_map(not_axial)?;
    let plane = series.slices.iter().find_map(|slice| slice.plane)?;
    // Cosine of 20 degrees: heads are not laid down straighter.
    const STRAIGHT: f64 = 0.94;
    let view = match plane.normal().map(f64::abs) {
        [x, ..] if x > STRAIGHT => "sagittal",
        [_, y, _] if y > STRAIGHT => "coronal",
        _ => "oblique",
    };
    Some(SeriesChoice::NotAxial { view, degrees })
}

/// What the rules ask of a series.
struct Facts<'a> {
    series: &'a Series,
    /// The attribute that names another part of the body than the head, and its value.
    other_part: Option<(&'static str, String)>,
    levels: Levels,
    /// 0 original, 1 derived, 2 a reformat or projection.
    derived: u8,
    contrast: bool,
    /// mm, if the positions are known.
    extent: Option<f64>,
    kernel: Kernel,
    /// mm, if known.
    thickness: Option<f64>,
}

impl<'a> Facts<'a> {
    fn from_series(series: &'a Series) -> Self {
        let positions = stack::positions(series.slices.iter().map(|slice| slice.plane));
        let positions: Vec<f64> = positions.into_iter().flatten().collect();
        let ends = positions.first().zip(positions.last());
        let declared = series.slices.iter().find_map(|slice| slice.slice_thickness);
        Self {
            series,
            other_part: other_body_part(&series.slices),
            levels: Levels::from_series(series),
            derived: derived(series),
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

    /// Whether the series shows levels of the head that those in `read`, the chosen one first, do
    /// not, so that it does not compete with them.
    fn complements(&self, read: &[&Self]) -> bool {
        let Some(chosen) = read.first() else { return false };
        let is_like = self.other_part.is_some() == chosen.other_part.is_some()
            && self.contrast <= chosen.contrast
            && (self.derived < 2 || chosen.derived == 2);
        let levels: Vec<&Levels> = read.iter().map(|facts| &facts.levels).collect();
        if !is_like || !levels.iter().any(|levels| levels.is_known()) {
            return false;
        }
        let (beyond, _) = self.levels.beyond(&levels);
        if self.series.uid.is_some() && self.series.uid == chosen.series.uid {
            return beyond > 0;
        }
        let frame = |facts: &Self| {
            let mut slices = facts.series.slices.iter();
            slices.find_map(|slice| slice.frame_of_reference_uid.clone())
        };
        let one_frame = match (frame(self), frame(chosen)) {
            (Some(this), Some(chosen)) => this == chosen,
            _ => true,
        };
        let ends: Vec<[f64; 2]> =
            levels.iter().copied().chain([&self.levels]).filter_map(Levels::ends).collect();
        let lowest = ends.iter().map(|ends| ends[0]).fold(f64::MAX, f64::min);
        let highest = ends.iter().map(|ends| ends[1]).fold(f64::MIN, f64::max);
        one_frame
            && self.levels.are_several()
            && 2 * beyond >= self.levels.len()
            && highest - lowest <= HEAD_HEIGHT
    }

    /// Tenths of a millimetre away from the usual thickness; last if it is unknown.
    fn unusual(&self) -> u32 {
        let away = |thickness: f64| ((thickness - USUAL_THICKNESS).abs() * 10.0).round() as u32;
        self.thickness.map_or(u32::MAX, away)
    }

    /// The rule that tells two series apart, and which goes first.
    fn compare(&self, other: &Self) -> (SelectionRule, Ordering) {
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
                compare_uids(self.series.uid.as_deref(), other.series.uid.as_deref())
            }
        };
        let orders = SelectionRule::ALL.into_iter().map(|rule| (rule, by(rule)));
        let mut deciding = orders.filter(|(_, order)| order.is_ne());
        // Parts of one split series may be the same in everything: then the first stays first.
        deciding.next().unwrap_or((SelectionRule::LowerUid, Ordering::Equal))
    }

    /// What a rule finds of the series, for a reader.
    fn describe(&self, rule: SelectionRule) -> String {
        let millimetres = |length: Option<f64>| match length {
            Some(length) => format!("{length:.1} mm"),
            None => "unknown".to_owned(),
        };
        match rule {
            SelectionRule::Head => match &self.other_part {
                Some((attribute, value)) => format!("{attribute} {value:?}"),
                None => "none named".to_owned(),
            },
            SelectionRule::Original => match self.series.slices.first() {
                Some(slice) if !slice.image_type.is_empty() => slice.image_type.join("\\"),
                _ => "no ImageType".to_owned(),
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
            SelectionRule::LowerUid => self.series.id().into_owned(),
        }
    }
}

/// How far a series is from what the scanner reconstructed first. Lossy compression alone makes an
/// image DERIVED (PS3.3 C.7.6.1.1.2), but leaves it PRIMARY.
fn derived(series: &Series) -> u8 {
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
    let rank = |values: &[String]| {
        let has = |wanted: &str| values.iter().any(|value| value.eq_ignore_ascii_case(wanted));
        match (has("DERIVED"), SECONDARY.iter().any(|wanted| has(wanted))) {
            (_, true) => 2,
            (true, false) => 1,
            (false, false) => 0,
        }
    };
    series.slices.iter().map(|slice| rank(&slice.image_type)).max().unwrap_or(0)
}
