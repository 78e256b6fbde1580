//! Which slices of an index are prepared, and on which side of a split each stands.
//!
//! A plan holds a whole index, so what it keeps of a slice is small: numbers, and texts by number.

use hemora_ct::{LABEL_COUNT, Label, stack};
use hemora_io::{Reader, Source};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::deal::{Dealt, Member, deal, too_many_parts};
use super::error::PrepareError;
use super::identity::digest;
use super::recipe::PrepareRecipe;
use super::selection::{Negatives, Selection, SplitBy, SplitInto};
use super::shared_pictures::SharedPictures;
use super::stack_names::{Kin, stacks};
use super::texts::{PackedSource, TextId, Texts};
use crate::index::{IndexReader, LOCALIZER, Look, REPEATED_ID};
use crate::labels::{pack, unpack};

/// Most slices of an index: their numbers and those of their texts have 32 bits.
const MAX_SLICES: usize = 1 << 28;

/// One slice that is prepared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    id: TextId,
    /// Its place among all slices of the index.
    pub(super) slot: u32,
    /// One bit a label.
    labels: u8,
    part: u16,
}

impl Planned {
    pub(super) fn labels(&self) -> [bool; LABEL_COUNT] {
        unpack(self.labels)
    }
}

/// What is read of a slice of the index.
#[derive(Debug, Clone, Copy)]
struct Slot {
    source: PackedSource,
    /// The file's size in the index: a file that changed since is not used.
    file_size: u64,
    patient: TextId,
    study: TextId,
    series: TextId,
    look: Option<Look>,
    /// Number of its stack: the slices of its series that lie in one direction, of one pass.
    stack: u32,
    /// The stored part; empty if there is none.
    part: TextId,
}

/// Where a slice lies in its series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Along {
    /// Its number among the slices of its stack, from the lowest, from 0.
    pub(super) place: u32,
    /// Along the normal, mm.
    pub(super) z_mm: Option<f64>,
    /// Distance to the next slice, of the highest to the one before, mm.
    pub(super) spacing_mm: Option<f64>,
}

/// All that is prepared, in the order of the ids.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) slices: Vec<Planned>,
    texts: Texts,
    slots: Vec<Slot>,
    /// Slots by stack and place in it, and where each slot stands there.
    order: Vec<u32>,
    places: Vec<u32>,
    /// Position of each slot along the normal, mm; not a number where it is not known.
    z: Vec<f64>,
    parts: Vec<String>,
    /// Slices of a split by patient that are the same picture as one of another patient.
    pub(super) pictures: SharedPictures,
    /// Reads the slots' slices.
    pub(super) reader: Reader,
    /// SHA-256 of everything in the index that decides the result.
    pub(super) input_sha256: String,
    /// Slices with less than the recipe's part of brain.
    pub(super) too_little_brain: usize,
    /// Usable slices without labels.
    pub(super) unlabelled: usize,
    /// Id and source of usable slices whose id an earlier one has.
    pub(super) repeated: Vec<(String, Source)>,
    /// What a set calls the series of each stack.
    stack_names: Vec<String>,
}

impl Plan {
    pub(super) fn new(
        rows: IndexReader,
        recipe: &PrepareRecipe,
        selection: &Selection,
    ) -> Result<Self, PrepareError> {
        let mut hash = Sha256::new();
        let mut texts = Texts::default();
        let (mut slots, mut candidates) = (Vec::new(), Vec::new());
        let (mut too_little_brain, mut unlabelled) = (0, 0);
        let (mut repeated, mut kin) = (Vec::new(), Vec::new());
        for row in rows {
            let row = row?;
            if !row.is_usable() {
                continue;
            }
            if row.has_flag(REPEATED_ID) {
                repeated.push((row.id.clone(), row.source()));
                continue;
            }
            // Sources of an index are files, entries and frames with paths of text.
            let Some(source) = PackedSource::new(&row.source(), &mut texts) else { continue };
            digest(&mut hash, &row);
            if selection.split == SplitInto::Stored {
                hash.update(row.split.as_deref().unwrap_or_default().as_bytes());
                hash.update([0]);
            }
            let slot = number(slots.len())?;
            match row.labels {
                None => unlabelled += 1,
                Some(_) if row.pct_in_window < recipe.min_in_window => too_little_brain += 1,
                Some(labels) => {
                    let id = texts.push(&row.id);
                    candidates.push(Planned { id, slot, labels: pack(labels), part: 0 });
                }
            }
            let part = row.split.as_deref().unwrap_or_default();
            let study = row.study_instance_uid.as_deref().unwrap_or_default();
            let kind = if row.has_flag(LOCALIZER) { LOCALIZER } else { "" };
            let shape = format!("{kind} {}x{}", row.rows, row.columns);
            let orientation = row.orientation.as_deref().unwrap_or_default();
            let [patient, study, series, part, shape, orientation] =
                [&row.patient_id, study, &*row.series_name(), part, &shape, orientation]
                    .map(|text| texts.share(text));
            let z = row.z.filter(|z| z.is_finite()).unwrap_or(f64::NAN);
            let number = row.instance_number.unwrap_or(i64::MAX);
            kin.push(Kin { key: [patient, study, series, shape], orientation, z, number });
            let (file_size, look) = (row.file_size, Look::of(&row));
            slots.push(Slot { source, file_size, patient, study, series, look, stack: 0, part });
        }
        let by_id = |a: &Planned, b: &Planned| {
            texts.get(a.id).cmp(texts.get(b.id)).then(a.slot.cmp(&b.slot))
        };
        candidates.sort_unstable_by(by_id);
        let mut slices = sample(candidates, selection)?;
        slices.sort_unstable_by(by_id);
        let (parts, pictures) = split(&mut slices, &slots, &texts, selection)?;
        let (of_slots, stack_names) = stacks(&kin, |slot| slots[slot].source, &texts);
        for (slot, stack) in slots.iter_mut().zip(of_slots) {
            slot.stack = stack;
        }
        let (order, places) = order(&slots, &kin, &texts);
        let z = kin.into_iter().map(|kin| kin.z).collect();
        let input_sha256 = hemora_base::hex(&hash.finalize());
        Ok(Self {
            slices,
            texts,
            slots,
            order,
            places,
            z,
            parts,
            pictures,
            reader: Reader::default(),
            input_sha256,
            too_little_brain,
            unlabelled,
            repeated,
            stack_names,
        })
    }

    pub(super) fn id(&self, slice: &Planned) -> &str {
        self.texts.get(slice.id)
    }

    /// The part of the split.
    pub(super) fn part(&self, slice: &Planned) -> &str {
        &self.parts[usize::from(slice.part)]
    }

    /// Patient, study and series. The largest stack of a series has its name, further ones another,
    /// since slices of a set are neighbours by series and place.
    pub(super) fn groups(&self, slice: &Planned) -> [&str; 3] {
        let Slot { patient, study, stack, .. } = self.slots[slice.slot as usize];
        let [patient, study] = [patient, study].map(|text| self.texts.get(text));
        [patient, study, &self.stack_names[stack as usize]]
    }

    /// Where a slot's bytes are, and the size that the file had.
    pub(super) fn source(&self, slot: u32) -> (Source, u64) {
        let Slot { source, file_size, .. } = self.slots[slot as usize];
        (source.unpack(&self.texts), file_size)
    }

    /// Where a slice lies in its stack of the whole index.
    pub(super) fn along(&self, slice: &Planned) -> Along {
        let Some(&place) = self.places.get(slice.slot as usize) else { return Along::default() };
        let stack = self.slots[slice.slot as usize].stack;
        let is_of_it = |place: u32| {
            let slot = self.order.get(place as usize)?;
            (self.slots[*slot as usize].stack == stack).then_some(*slot)
        };
        let z = self.z[slice.slot as usize];
        let beside = [place.checked_add(1), place.checked_sub(1)].into_iter().flatten();
        // Slices at one position have no distance, and neither have those without one.
        let spacing_mm = beside
            .filter_map(is_of_it)
            .filter_map(|slot| stack::spacings(&[z, self.z[slot as usize]]).first().copied())
            .find(|mm| mm.is_finite());
        let first = self.first_of_stack(place, stack);
        Along { place: place - first, z_mm: Some(z).filter(|z| z.is_finite()), spacing_mm }
    }

    /// Place of the first slice of a stack, of which `place` is one.
    fn first_of_stack(&self, place: u32, stack: u32) -> u32 {
        let before = &self.order[..place as usize];
        before.partition_point(|&slot| self.slots[slot as usize].stack < stack) as u32
    }

    /// The slot `offset` steps along the normal from `slot`, the end slot beyond the ends.
    pub(super) fn neighbour(&self, slot: u32, offset: i32) -> u32 {
        let stack = |slot: u32| self.slots[slot as usize].stack;
        let Some(&place) = self.places.get(slot as usize) else { return slot };
        let steps = (1..=i64::from(offset.unsigned_abs())).map_while(|step| {
            let place = i64::from(place) + step * i64::from(offset.signum());
            let other = *self.order.get(usize::try_from(place).ok()?)?;
            (stack(other) == stack(slot)).then_some(other)
        });
        steps.last().unwrap_or(slot)
    }
}

fn number(slices: usize) -> Result<u32, PrepareError> {
    match u32::try_from(slices) {
        Ok(number) if slices < MAX_SLICES => Ok(number),
        _ => Err(PrepareError::Option {
            name: "number of slices",
            found: format!("{slices} and more"),
            expected: "at most 268435456 in one set",
        }),
    }
}

/// The positives with enough types, and a sample of the negatives. `candidates` are in the order of
/// the ids, the result is not.
fn sample(candidates: Vec<Planned>, selection: &Selection) -> Result<Vec<Planned>, PrepareError> {
    let bad = |name, found: String, expected| PrepareError::Option { name, found, expected };
    if selection.min_types > Label::SUBTYPES.len() {
        let found = selection.min_types.to_string();
        return Err(bad("min-types", found, "0 to 5"));
    }
    let (positives, mut negatives): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|slice| slice.labels != 0);
    let subtypes = Label::SUBTYPES.iter().fold(0, |bits, label| bits | 1u8 << label.index());
    let types = |slice: &Planned| (slice.labels & subtypes).count_ones() as usize;
    let mut chosen = positives;
    chosen.retain(|slice| types(slice) >= selection.min_types);
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
    Ok(chosen)
}

/// Gives each slice its part, and returns the names of the parts.
fn split(
    slices: &mut [Planned],
    slots: &[Slot],
    texts: &Texts,
    selection: &Selection,
) -> Result<(Vec<String>, SharedPictures), PrepareError> {
    if selection.split == SplitInto::Stored {
        return Ok((stored(slices, slots, texts)?, SharedPictures::default()));
    }
    let member = |slice: &Planned| {
        let Slot { patient, study, series, look, .. } = slots[slice.slot as usize];
        Member { id: slice.id, labels: slice.labels, patient, study, series, look }
    };
    let members: Vec<Member> = slices.iter().map(member).collect();
    let Dealt { names, parts, pictures, .. } = deal(&members, texts, selection.rule())?;
    for (slice, part) in slices.iter_mut().zip(parts) {
        slice.part = part;
    }
    let is_by_patient = selection.split_by == SplitBy::Patient;
    Ok((names, if is_by_patient { pictures } else { SharedPictures::default() }))
}

/// The parts that the index has.
fn stored(
    slices: &mut [Planned],
    slots: &[Slot],
    texts: &Texts,
) -> Result<Vec<String>, PrepareError> {
    let part = |slice: &Planned| slots[slice.slot as usize].part;
    let without = slices.iter().filter(|slice| texts.get(part(slice)).is_empty()).count();
    if without > 0 {
        return Err(PrepareError::NoStoredPart { without, slices: slices.len() });
    }
    let mut names: Vec<&str> = slices.iter().map(|slice| texts.get(part(slice))).collect();
    names.sort_unstable();
    names.dedup();
    for slice in &mut *slices {
        let place = names.binary_search(&texts.get(part(slice))).expect("all are there");
        slice.part = u16::try_from(place).map_err(|_| too_many_parts(names.len()))?;
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// Slots by stack, from its lowest to its highest slice, and where each slot stands there.
/// `kin` has the position and the number of each slot.
fn order(slots: &[Slot], kin: &[Kin], texts: &Texts) -> (Vec<u32>, Vec<u32>) {
    let mut order: Vec<u32> = (0..kin.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        let stack = slots[a].stack.cmp(&slots[b].stack);
        let along = stack::compare_positions(kin[a].position(), kin[b].position());
        let number = kin[a].number.cmp(&kin[b].number);
        stack.then(along).then(number).then_with(|| slots[a].source.compare(slots[b].source, texts))
    });
    let mut places = vec![0; order.len()];
    for (place, &slot) in (0..).zip(&order) {
        places[slot as usize] = place;
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
