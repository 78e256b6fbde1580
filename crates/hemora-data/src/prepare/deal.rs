//! Parts of a split for slices of an index: all of a patient, study or series on one side, and those who
//! share a picture.

use std::collections::{HashMap, HashSet};

use super::error::PrepareError;
use super::selection::{SplitBy, SplitInto, SplitRule};
use super::shared_pictures::SharedPictures;
use super::texts::{TextId, Texts};
use crate::groups::{Groups, PATIENT, SERIES, STUDY};
use crate::index::{Alike, Look};
use crate::labels::unpack;
use crate::split::partition;

/// Most parts of a split.
const MAX_PARTS: usize = 1000;
/// What groups share that have the same picture; behind the names of headers, which name a group first.
const PICTURE: &str = "picture";

/// What the dealing looks at of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) id: TextId,
    /// One bit a label.
    pub(super) labels: u8,
    /// Empty if not known.
    pub(super) patient: TextId,
    /// Empty if not known.
    pub(super) study: TextId,
    /// Never empty: slices without one are of a series with those of their folder.
    pub(super) series: TextId,
    /// Absent if its pixels are not known or show next to nothing.
    pub(super) look: Option<Look>,
}

/// A split.
#[derive(Debug)]
pub(super) struct Dealt {
    /// Names of the parts.
    pub(super) names: Vec<String>,
    /// The part of each member.
    pub(super) parts: Vec<u16>,
    /// Members with a picture that stands under several patients, studies or series that nothing else
    /// connects.
    pub(super) pictures: SharedPictures,
    /// Members that look the same as one that need not stand on their side.
    pub(super) alike: usize,
}

/// Deals the members to the parts of a rule.
pub(super) fn deal(
    members: &[Member],
    texts: &Texts,
    rule: SplitRule,
) -> Result<Dealt, PrepareError> {
    let (names, shares) = shares(rule.into)?;
    let labels: Vec<_> = members.iter().map(|member| unpack(member.labels)).collect();
    let Grouped { groups, by_headers, of_members, persons, pictures } = group(members, texts);
    let too_few = |groups: &[String]| groups.iter().collect::<HashSet<_>>().len() < shares.len();
    let pictures = SharedPictures {
        images: pictures,
        is_apart: rule.by == SplitBy::Image || too_few(&groups),
    };
    let (parts, sides) = match rule.by {
        SplitBy::Image => {
            let ids: Vec<&str> = members.iter().map(|member| texts.get(member.id)).collect();
            (partition(&labels, &ids, &shares, rule.seed)?, persons)
        }
        SplitBy::Patient => {
            let groups = if pictures.is_apart { by_headers } else { groups };
            let groups: Vec<&str> = of_members.iter().map(|&pair| &*groups[pair]).collect();
            let numbers = numbers(&groups);
            (partition(&labels, &groups, &shares, rule.seed)?, numbers)
        }
    };
    let mut alike = Alike::default();
    for (member, side) in members.iter().zip(sides) {
        if let Some(Look { look, .. }) = member.look {
            alike.add(look, side);
        }
    }
    let small = |part| u16::try_from(part).expect("parts are limited");
    let parts = parts.into_iter().map(small).collect();
    Ok(Dealt { names, parts, pictures, alike: alike.count() })
}

/// What must stay together.
struct Grouped {
    /// The group of each patient, study and series that occur together, by name.
    groups: Vec<String>,
    /// As headers alone tell.
    by_headers: Vec<String>,
    /// Which of these each member has.
    of_members: Vec<usize>,
    /// The group of each member, by number, as headers alone tell.
    persons: Vec<u64>,
    /// Members whose picture several of the latter have.
    pictures: usize,
}

/// All slices of a patient, study or series belong together, directly or by way of others, and so do
/// those who share a picture: they are one person under two names.
fn group(members: &[Member], texts: &Texts) -> Grouped {
    // Slices of one patient, study and series share a group: it is asked for once.
    let mut pairs: HashMap<[TextId; 3], usize> = HashMap::new();
    let mut groups = Groups::default();
    let mut of_members = Vec::with_capacity(members.len());
    for &Member { patient, study, series, .. } in members {
        let count = pairs.len();
        of_members.push(*pairs.entry([patient, study, series]).or_insert_with(|| {
            for (key, id) in [(PATIENT, patient), (STUDY, study), (SERIES, series)] {
                groups.join(&count.to_string(), key, texts.get(id));
            }
            count
        }));
    }
    let assign = |groups: &Groups| groups.assign((0..pairs.len()).map(|pair| pair.to_string()));
    let by_headers = assign(&groups);
    let of_pairs = numbers(&by_headers);
    let persons: Vec<u64> = of_members.iter().map(|&pair| of_pairs[pair]).collect();
    let mut seen = Alike::default();
    let pictures = || {
        let looks = members.iter().enumerate();
        looks.filter_map(|(index, member)| Some((index, member.look?.picture)))
    };
    pictures().for_each(|(index, picture)| seen.add(picture, persons[index]));
    for (index, picture) in pictures().filter(|(_, picture)| seen.is_of_several(*picture)) {
        groups.join(&of_members[index].to_string(), PICTURE, &format!("{picture:016x}"));
    }
    Grouped { groups: assign(&groups), by_headers, of_members, persons, pictures: seen.count() }
}

/// A number for each name, the same for the same name.
fn numbers<T: AsRef<str>>(names: &[T]) -> Vec<u64> {
    let mut known: HashMap<&str, u64> = HashMap::new();
    let mut numbers = Vec::with_capacity(names.len());
    for name in names {
        let next = known.len() as u64;
        numbers.push(*known.entry(name.as_ref()).or_insert(next));
    }
    numbers
}

/// Names and shares of the parts.
fn shares(split: SplitInto) -> Result<(Vec<String>, Vec<f64>), PrepareError> {
    let bad = |name, found, expected| Err(PrepareError::Option { name, found, expected });
    match split {
        SplitInto::Folds(folds) if (2..=MAX_PARTS).contains(&folds) => {
            Ok((0..folds).map(|fold| (format!("fold{fold}"), 1.0 / folds as f64)).unzip())
        }
        SplitInto::Folds(folds) => bad("folds", folds.to_string(), "2 to 1000"),
        SplitInto::Stored => bad("split", "stored".to_owned(), "parts or folds to deal"),
        SplitInto::Parts { validation, test } => {
            let train = 1.0 - validation - test;
            if !(validation >= 0.0 && test >= 0.0 && train > 0.0) {
                return bad(
                    "validation and test",
                    format!("{validation} and {test}"),
                    "a sum below 1",
                );
            }
            let parts = [("train", train), ("validation", validation), ("test", test)];
            let kept = parts.into_iter().filter(|(_, share)| *share > 0.0);
            Ok(kept.map(|(name, share)| (name.to_owned(), share)).unzip())
        }
    }
}

/// For an index with more parts than a split may have.
pub(super) fn too_many_parts(parts: usize) -> PrepareError {
    let (name, found) = ("parts of the stored split", parts.to_string());
    PrepareError::Option { name, found, expected: "at most 1000" }
}
