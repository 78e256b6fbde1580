//! Which slices of an index are prepared, and on which side of a split each stands.

use std::collections::BTreeMap;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_dicom::Source;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::PrepareError;
use super::recipe::PrepareRecipe;
use crate::groups::{Groups, PATIENT, SERIES};
use crate::index::{IndexReader, REPEATED_ID, SliceRow, hexadecimal};
use crate::split::partition;

/// Which slices are taken and how they are split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Fewest subtypes of a positive slice, 0 to 5; with 0, `any` alone will do.
    pub min_types: usize,
    /// Slices without hemorrhage.
    pub negatives: Negatives,
    /// The parts of the set.
    pub split: SplitInto,
    /// What stays on one side.
    pub split_by: SplitBy,
    /// Seed of the sample, the split and the images whose frequencies are counted.
    pub seed: u64,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            min_types: 0,
            negatives: Negatives::All,
            split: SplitInto::Parts { validation: 0.15, test: 0.15 },
            split_by: SplitBy::Patient,
            seed: 0,
        }
    }
}

/// How many slices without hemorrhage are taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Negatives {
    /// All of them.
    All,
    /// So many, or all if there are fewer.
    Count(usize),
    /// So many for each positive slice.
    Ratio(f64),
}

/// The parts of a set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitInto {
    /// `train`, `validation` and `test`; the parts of the images for the latter two.
    Parts {
        /// Part for validation, 0 to below 1.
        validation: f64,
        /// Part for the test, 0 to below 1.
        test: f64,
    },
    /// `fold0`, `fold1` …, of equal size.
    Folds(usize),
}

/// What stays on one side of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitBy {
    /// All that is known to be of one patient or series.
    Patient,
    /// Nothing: patients stand on several sides and figures are too good (facts §1).
    Image,
}

/// One slice that is prepared.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) id: String,
    pub(super) slot: usize,
    pub(super) labels: [bool; LABEL_COUNT],
    pub(super) split: String,
}

/// What is read of a slice of the index.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) source: Source,
    /// The file's size in the index: a file that changed since is not used.
    pub(super) file_size: u64,
    pub(super) patient: String,
    pub(super) study: String,
    pub(super) series: String,
    z: Option<f64>,
    instance_number: Option<i64>,
}

/// All that is prepared, in the order of the ids.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) slices: Vec<Planned>,
    pub(super) slots: Vec<Slot>,
    /// Slices of each series in the order of their places, and the place of each slot in it.
    order: BTreeMap<String, Vec<usize>>,
    places: Vec<usize>,
    /// SHA-256 of everything in the index that decides the result.
    pub(super) input_sha256: String,
    /// Slices with less than the recipe's part of brain.
    pub(super) too_little_brain: usize,
    /// Usable slices without labels.
    pub(super) unlabelled: usize,
}

impl Plan {
    pub(super) fn new(
        rows: IndexReader,
        recipe: &PrepareRecipe,
        selection: &Selection,
    ) -> Result<Self, PrepareError> {
        let mut hash = Sha256::new();
        let (mut slots, mut candidates) = (Vec::new(), Vec::new());
        let (mut too_little_brain, mut unlabelled) = (0, 0);
        for row in rows {
            let row = row?;
            if !row.is_usable() || row.flags.iter().any(|flag| flag == REPEATED_ID) {
                continue;
            }
            digest(&mut hash, &row);
            match row.labels {
                None => unlabelled += 1,
                Some(_) if row.pct_in_window < recipe.min_in_window => too_little_brain += 1,
                Some(labels) => candidates.push((row.id.clone(), slots.len(), labels)),
            }
            slots.push(slot(row));
        }
        candidates.sort();
        let chosen = sample(candidates, selection)?;
        let splits = splits(&chosen, &slots, selection)?;
        let slices = chosen.into_iter().zip(splits);
        let slices =
            slices.map(|((id, slot, labels), split)| Planned { id, slot, labels, split }).collect();
        let input_sha256 = hexadecimal(&hash.finalize());
        let (order, places) = order(&slots);
        Ok(Self { slices, slots, order, places, input_sha256, too_little_brain, unlabelled })
    }

    /// The slot `offset` steps along the normal from `slot`, the end slot beyond the ends.
    pub(super) fn neighbour(&self, slot: usize, offset: i32) -> usize {
        let Some(series) = self.order.get(&self.slots[slot].series) else { return slot };
        let last = series.len() as i64 - 1;
        series[(self.places[slot] as i64 + i64::from(offset)).clamp(0, last) as usize]
    }
}

fn slot(row: SliceRow) -> Slot {
    Slot {
        source: row.source(),
        file_size: row.file_size,
        patient: row.patient_id,
        study: row.study_instance_uid,
        series: row.series_instance_uid,
        z: row.z,
        instance_number: row.instance_number,
    }
}

fn digest(hash: &mut Sha256, row: &SliceRow) {
    let facts = [&row.id, &row.sha256, &row.series_instance_uid, &row.patient_id];
    for text in facts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.update(row.z.unwrap_or(f64::NAN).to_le_bytes());
    hash.update(row.pct_in_window.to_le_bytes());
    hash.update(row.labels.map_or([2; LABEL_COUNT], |labels| labels.map(u8::from)));
}

type Candidate = (String, usize, [bool; LABEL_COUNT]);

/// The positives with enough types, and a sample of the negatives, in the order of the ids.
fn sample(
    candidates: Vec<Candidate>,
    selection: &Selection,
) -> Result<Vec<Candidate>, PrepareError> {
    let bad = |name, found: String, expected| PrepareError::Option { name, found, expected };
    if selection.min_types > Label::SUBTYPES.len() {
        let found = selection.min_types.to_string();
        return Err(bad("min-types", found, "0 to 5"));
    }
    let (positives, mut negatives): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|(_, _, labels)| labels.contains(&true));
    let types = |labels: &[bool; LABEL_COUNT]| {
        Label::SUBTYPES.iter().filter(|label| labels[label.index()]).count()
    };
    let enough = |(_, _, labels): &Candidate| types(labels) >= selection.min_types;
    let mut chosen: Vec<_> = positives.into_iter().filter(enough).collect();
    let wanted = match selection.negatives {
        Negatives::All => negatives.len(),
        Negatives::Count(count) => count,
        Negatives::Ratio(ratio) if ratio >= 0.0 && ratio.is_finite() => {
            (chosen.len() as f64 * ratio).round() as usize
        }
        Negatives::Ratio(ratio) => {
            return Err(bad("negatives", ratio.to_string(), "a count, or a ratio of 0 or more"));
        }
    };
    negatives.shuffle(&mut generator(selection.seed, Purpose::Negatives));
    negatives.truncate(wanted);
    chosen.append(&mut negatives);
    if chosen.is_empty() {
        return Err(PrepareError::NothingSelected);
    }
    chosen.sort();
    Ok(chosen)
}

/// The part of each slice.
fn splits(
    chosen: &[Candidate],
    slots: &[Slot],
    selection: &Selection,
) -> Result<Vec<String>, PrepareError> {
    let labels: Vec<_> = chosen.iter().map(|(_, _, labels)| *labels).collect();
    let ids = chosen.iter().map(|(id, _, _)| id);
    let groups = match selection.split_by {
        SplitBy::Image => ids.cloned().collect(),
        SplitBy::Patient => {
            let mut groups = Groups::default();
            for (id, slot, _) in chosen {
                groups.join(id, PATIENT, &slots[*slot].patient);
                groups.join(id, SERIES, &slots[*slot].series);
            }
            groups.assign(ids)
        }
    };
    let (names, shares): (Vec<String>, Vec<f64>) = match selection.split {
        SplitInto::Folds(folds) if (2..=1000).contains(&folds) => {
            (0..folds).map(|fold| (format!("fold{fold}"), 1.0 / folds as f64)).unzip()
        }
        SplitInto::Folds(folds) => {
            let (found, expected) = (folds.to_string(), "2 to 1000");
            return Err(PrepareError::Option { name: "folds", found, expected });
        }
        SplitInto::Parts { validation, test } => {
            let train = 1.0 - validation - test;
            if !(validation >= 0.0 && test >= 0.0 && train > 0.0) {
                let (found, expected) = (format!("{validation} and {test}"), "a sum below 1");
                return Err(PrepareError::Option { name: "validation and test", found, expected });
            }
            let parts = [("train", train), ("validation", validation), ("test", test)];
            let kept = parts.into_iter().filter(|(_, share)| *share > 0.0);
            kept.map(|(name, share)| (name.to_owned(), share)).unzip()
        }
    };
    let parts = partition(&labels, &groups, &shares, selection.seed)?;
    Ok(parts.into_iter().map(|part| names[part].clone()).collect())
}

/// Slots of each series from its lowest to its highest slice, and the place of each slot there.
fn order(slots: &[Slot]) -> (BTreeMap<String, Vec<usize>>, Vec<usize>) {
    let mut order: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, slot) in slots.iter().enumerate() {
        match order.get_mut(&slot.series) {
            Some(series) => series.push(index),
            None => {
                order.insert(slot.series.clone(), vec![index]);
            }
        }
    }
    let mut places = vec![0; slots.len()];
    for series in order.values_mut() {
        let key = |index: usize| {
            let slot = &slots[index];
            let number = slot.instance_number.unwrap_or(i64::MAX);
            (slot.z.unwrap_or(f64::INFINITY), number, &slot.source)
        };
        series.sort_by(|&a, &b| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then_with(|| a.2.cmp(b.2))
        });
        for (place, &index) in series.iter().enumerate() {
            places[index] = place;
        }
    }
    (order, places)
}

/// What random numbers are for; the split has its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Negatives = 1,
    Bins = 2,
}

/// The random numbers of one purpose.
pub(super) fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = purpose as u8;
    ChaCha8Rng::from_seed(key)
}
