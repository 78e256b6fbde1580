//! Parts of a split for slices of an index: all of a patient, study or series on one side.

use std::collections::HashMap;

use super::error::PrepareError;
use super::selection::{SplitBy, SplitInto, SplitRule};
use super::texts::{TextId, Texts};
use crate::groups::{Groups, PATIENT, SERIES, STUDY};
use crate::labels::unpack;
use crate::split::partition;

/// Most parts of a split.
const MAX_PARTS: usize = 1000;

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
    /// Empty if not known.
    pub(super) series: TextId,
}

/// The names of the parts, and the part of each member.
pub(super) fn deal(
    members: &[Member],
    texts: &Texts,
    rule: SplitRule,
) -> Result<(Vec<String>, Vec<u16>), PrepareError> {
    let (names, shares) = shares(rule.into)?;
    let labels: Vec<_> = members.iter().map(|member| unpack(member.labels)).collect();
    let parts = match rule.by {
        SplitBy::Image => {
            let ids: Vec<&str> = members.iter().map(|member| texts.get(member.id)).collect();
            partition(&labels, &ids, &shares, rule.seed)?
        }
        SplitBy::Patient => {
            let (groups, of_members) = groups(members, texts);
            let groups: Vec<&str> = of_members.iter().map(|&group| &*groups[group]).collect();
            partition(&labels, &groups, &shares, rule.seed)?
        }
    };
    let small = |part| u16::try_from(part).expect("parts are limited");
    Ok((names, parts.into_iter().map(small).collect()))
}

/// The names of what must stay together, all slices of a patient, study or series, directly or by way
/// of others; and which of them each slice belongs to.
fn groups(members: &[Member], texts: &Texts) -> (Vec<String>, Vec<usize>) {
    // Slices of one patient, study and series share a group: it is asked for once.
    let mut pairs: HashMap<[TextId; 3], usize> = HashMap::new();
    let mut groups = Groups::default();
    let mut of_members = Vec::with_capacity(members.len());
    // Slices of which none is known, each a group of its own.
    let mut alone = Vec::new();
    for (index, &Member { patient, study, series, .. }) in members.iter().enumerate() {
        let known = [(PATIENT, patient), (STUDY, study), (SERIES, series)]
            .map(|(key, id)| (key, texts.get(id)));
        if known.iter().all(|(_, value)| value.is_empty()) {
            alone.push(index);
            of_members.push(usize::MAX);
            continue;
        }
        let count = pairs.len();
        of_members.push(*pairs.entry([patient, study, series]).or_insert_with(|| {
            known.iter().for_each(|(key, value)| groups.join(&count.to_string(), key, value));
            count
        }));
    }
    let mut names = groups.assign((0..pairs.len()).map(|pair| pair.to_string()));
    for index in alone {
        of_members[index] = names.len();
        names.push(format!("image={}", texts.get(members[index].id)));
    }
    (names, of_members)
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
