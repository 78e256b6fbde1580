//! Slices that look alike: the same image twice, and what two labellers said of it.

use std::collections::{BTreeSet, HashMap};

use hemora_ct::{Fingerprint, Label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Cases;
use crate::grouped::ALONE;

/// Bits of 256 in which two images may differ that are called alike. Of four words of 64 bits one
/// is then the same, by which pairs are found without comparing all with all.
const ALIKE: u32 = 3;

/// Slices that share a word and are compared with each other; a word that more share says nothing.
const MOST_SHARED: usize = 64;

/// Pairs that are listed.
const LISTED: usize = 20;

/// Pairs of slices that look alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicates {
    /// Slices that were compared.
    pub compared: u64,
    /// Slices left out since nothing is known of their pixels, or they show next to nothing.
    pub left_out: u64,
    /// Pairs that look alike.
    pub pairs: u64,
    /// Those of two groups (patients): one patient under two names, or a copy.
    pub across_groups: u64,
    /// Those whose labels differ.
    pub conflicts: u64,
    /// The first 20 pairs, those with different labels first.
    pub listed: Vec<Duplicate>,
}

/// Two slices that look alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// The slices.
    pub ids: [String; 2],
    /// Whether the files are the same, byte for byte.
    pub same_file: bool,
    /// Bits of 256 in which their looks differ.
    pub distance: u32,
    /// Whether they are of one group (patient); absent where groups are unknown.
    pub same_group: Option<bool>,
    /// The labels in which they differ, each with the slice that has it: 0 or 1.
    pub differing: Vec<DifferingLabel>,
}

/// A label that one of two slices has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DifferingLabel {
    /// The label.
    pub label: Label,
    /// Which of the two slices has it.
    pub has: u8,
}

/// Looks for pairs; `None` if nothing is known of any slice's pixels.
pub(crate) fn duplicates(cases: &Cases) -> Option<Duplicates> {
    let looks: Vec<Option<Fingerprint>> = cases.fingerprints()?;
    let sha256 = |slice: usize| -> Option<&str> {
        let facts = cases.facts.as_ref()?[slice].as_ref()?;
        Some(facts.sha256.as_str()).filter(|sha256| !sha256.is_empty())
    };
    let same_series = |one: usize, other: usize| {
        let of = |slice: usize| {
            let facts = cases.facts.as_ref()?[slice].as_ref()?;
            Some(facts.series.as_str()).filter(|series| !series.is_empty())
        };
        of(one).is_some() && of(one) == of(other)
    };
    let telling = |slice: &usize| looks[*slice].is_some_and(Fingerprint::is_telling);
    let compared: Vec<usize> = (0..looks.len()).filter(telling).collect();
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut files: HashMap<&str, usize> = HashMap::new();
    for slice in 0..looks.len() {
        if let Some(sha256) = sha256(slice) {
            let first = *files.entry(sha256).or_insert(slice);
            if first != slice {
                pairs.insert((first, slice));
            }
        }
    }
    for word in 0..4 {
        let mut shared: HashMap<u64, Vec<usize>> = HashMap::new();
        for &slice in &compared {
            let Some(look) = looks[slice] else { continue };
            shared.entry(look.words()[word]).or_default().push(slice);
        }
        for slices in shared.values().filter(|slices| slices.len() <= MOST_SHARED) {
            for (index, &one) in slices.iter().enumerate() {
                for &other in &slices[index + 1..] {
                    let bits = distance(&looks, one, other);
                    // Neighbours in a thin series look alike and are not the same.
                    if bits.is_some_and(|bits| bits <= ALIKE) && !same_series(one, other) {
                        pairs.insert((one, other));
                    }
                }
            }
        }
    }
    // A slice that stands alone is of an unknown group, not of another.
    let known = |slice: usize| {
        cases.grouping.kind != "slice" && !cases.group_names[slice].starts_with(ALONE)
    };
    let pair = |&(one, other): &(usize, usize)| {
        let groups = cases.clusters.of_items();
        let differing = cases
            .columns
            .iter()
            .filter(|column| column.truth[one] != column.truth[other])
            .map(|column| DifferingLabel {
                label: column.label,
                has: u8::from(column.truth[other]),
            })
            .collect();
        Duplicate {
            ids: [cases.ids[one].clone(), cases.ids[other].clone()],
            same_file: sha256(one).is_some() && sha256(one) == sha256(other),
            distance: distance(&looks, one, other).unwrap_or(0),
            same_group: (known(one) && known(other)).then(|| groups[one] == groups[other]),
            differing,
        }
    };
    let mut listed: Vec<Duplicate> = pairs.iter().map(pair).collect();
    let across = |pair: &&Duplicate| pair.same_group == Some(false);
    let found = Duplicates {
        compared: compared.len() as u64,
        left_out: (looks.len() - compared.len()) as u64,
        pairs: listed.len() as u64,
        across_groups: listed.iter().filter(across).count() as u64,
        conflicts: listed.iter().filter(|pair| !pair.differing.is_empty()).count() as u64,
        listed: Vec::new(),
    };
    listed.sort_by_key(|pair| (pair.differing.is_empty(), pair.same_group, pair.distance));
    listed.truncate(LISTED);
    Some(Duplicates { listed, ..found })
}

fn distance(looks: &[Option<Fingerprint>], one: usize, other: usize) -> Option<u32> {
    Some(looks[one]?.distance(looks[other]?))
}
