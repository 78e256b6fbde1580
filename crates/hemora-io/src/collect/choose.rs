//! Which series of a study is to be read, and which beside it.

use std::fmt;

use hemora_ct::stack;

use super::kernel::Kernel;
use super::levels::Levels;
use super::rules::{Facts, SelectionRule};
use super::words::{is_one, words};
use crate::{Series, SeriesWarning, SliceHeader};

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
        /// patient); of those that lie in its frame of reference or in an unknown one.
        unread: Vec<[f64; 2]>,
        /// Whether it lies in another frame of reference than all that is read: then nobody knows
        /// which of its levels they show.
        other_frame: bool,
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
            Self::PassedOver { rule, this, chosen, unread, other_frame } => {
                write!(
                    formatter,
                    "passed over: {rule}: {this} here, {chosen} in the chosen series"
                )?;
                if *other_frame {
                    write!(formatter, "; it lies in another frame of reference")?;
                }
                if !unread.is_empty() {
                    let levels = Ranges(unread);
                    write!(formatter, "; it covers {levels}, which no series that is read does")?;
                }
                Ok(())
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
/// is read does, if both together are no higher than a head and none is sharper than the chosen one
/// by a bone kernel.
pub fn choose_series(series: &[Series]) -> Vec<SeriesChoice> {
    let refused: Vec<Option<SeriesChoice>> = series.iter().map(refusal).collect();
    let facts: Vec<Facts<'_>> = series.iter().map(Facts::from_series).collect();
    let mut order: Vec<usize> =
        (0..series.len()).filter(|&index| refused[index].is_none()).collect();
    order.sort_by(|&a, &b| facts[a].compare(&facts[b]).1);
    let mut read: Vec<usize> = Vec::new();
    for &index in &order {
        let others: Vec<&Facts<'_>> = read.iter().map(|&other| &facts[other]).collect();
        if others.is_empty() || complements(&facts[index], &others) {
            read.push(index);
        }
    }
    let levels_beyond = |index: usize| {
        let others = read.iter().filter(|&&other| other != index).map(|&other| &facts[other]);
        let comparable = others.filter(|other| other.shares_frame(&facts[index]));
        let others: Vec<&Levels> = comparable.map(|other| &other.levels).collect();
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
            let other_frame = !read.iter().any(|&other| facts[other].shares_frame(&facts[index]));
            let unread = levels_beyond(index);
            SeriesChoice::PassedOver { rule, this, chosen, unread, other_frame }
        }
        (None, _) => SeriesChoice::Chosen,
    };
    refused.into_iter().enumerate().map(choice).collect()
}

/// Whether a series shows levels of the head that those in `read`, the chosen one first, do not, so
/// that it does not compete with them.
fn complements(this: &Facts<'_>, read: &[&Facts<'_>]) -> bool {
    let Some(chosen) = read.first().filter(|chosen| this.is_like(chosen)) else { return false };
    let levels: Vec<&Levels> = read.iter().map(|facts| &facts.levels).collect();
    if !levels.iter().any(|levels| levels.is_known()) {
        return false;
    }
    let (beyond, _) = this.levels.beyond(&levels);
    if this.series.uid.is_some() && this.series.uid == chosen.series.uid {
        return beyond > 0;
    }
    let ends: Vec<[f64; 2]> =
        levels.iter().copied().chain([&this.levels]).filter_map(Levels::ends).collect();
    let lowest = ends.iter().map(|ends| ends[0]).fold(f64::MAX, f64::min);
    let highest = ends.iter().map(|ends| ends[1]).fold(f64::MIN, f64::max);
    // Bone kernels hide small bleeds: beside softer images they are no rest of the head.
    (this.kernel < Kernel::Sharp || chosen.kernel == Kernel::Sharp)
        && read.iter().all(|other| this.shares_frame(other))
        && this.levels.are_several()
        && 2 * beyond >= this.levels.len()
        && highest - lowest <= HEAD_HEIGHT
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
    if series.slices.iter().all(SliceHeader::is_localizer) {
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
