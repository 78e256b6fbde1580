//! Which images a cell sees, and in which part each stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_data::{Part, SplitTable, partition};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::study::set::{Item, StudySet};
use crate::study::{Draw, SplitKind, StudyError, StudyOptions};

/// Fewer positive test images than these carry no claim.
pub const FEW_POSITIVES: u64 = 30;

/// Images of a draw and their parts, in the order of the ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Index in the set, and part.
    pub images: Vec<(usize, Part)>,
}

/// What a part of a selection holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartCounts {
    /// `train`, `validation` or `test`.
    pub part: String,
    /// Images.
    pub images: u64,
    /// Images with each label.
    pub positives: BTreeMap<Label, u64>,
    /// Patients, or best known groups.
    pub groups: u64,
    /// Images of which neither patient nor series is known.
    pub unknown_patients: u64,
}

impl PartCounts {
    /// Images with hemorrhage.
    pub fn any(&self) -> u64 {
        self.positives.get(&Label::Any).copied().unwrap_or(0)
    }
}

impl Selection {
    /// Draws the images of a question and splits them: slices with enough subtypes, and a sample of
    /// those without hemorrhage, which is the same for every question of a repeat. With a table
    /// `given`, only its images are drawn and each stands in its part there.
    ///
    /// # Errors
    /// [`StudyError::Split`] if there are fewer patients than parts.
    pub fn draw(
        set: &StudySet,
        draw: Draw,
        given: Option<&SplitTable>,
        options: &StudyOptions,
    ) -> Result<Self, StudyError> {
        let seed = options.seed.wrapping_add(draw.repeat);
        let given_part = |index: &usize| given.and_then(|given| given.part(&set.items[*index].id));
        let within = |index: &usize| given.is_none() || given_part(index).is_some();
        let chosen = choose(&set.items, &within, draw, options, seed);
        if given.is_some() {
            let placed = chosen.into_iter().filter_map(|index| Some((index, given_part(&index)?)));
            return Ok(Self { images: placed.collect() });
        }
        // Stratified by what is asked: by subtypes, the few patients with three of them could each
        // be the only one of a stratum, and all go to the largest part.
        let asked = |&index: &usize| {
            let mut labels = [false; LABEL_COUNT];
            for label in draw.question.labels().iter().map(|label| label.index()) {
                labels[label] = set.items[index].labels[label];
            }
            labels
        };
        let labels: Vec<_> = chosen.iter().map(asked).collect();
        let name = |&index: &usize| match draw.split {
            SplitKind::Patient => set.items[index].group.as_str(),
            SplitKind::Image => set.items[index].id.as_str(),
        };
        let names: Vec<&str> = chosen.iter().map(name).collect();
        let train = 1.0 - options.validation - options.test;
        let shares = [train, options.validation, options.test];
        let parts = partition(&labels, &names, &shares, seed)?;
        let images = chosen.into_iter().zip(parts).map(|(index, part)| (index, Part::ALL[part]));
        Ok(Self { images: images.collect() })
    }

    /// The indices of a part.
    pub fn part(&self, part: Part) -> Vec<usize> {
        self.images.iter().filter(|(_, of)| *of == part).map(|(index, _)| *index).collect()
    }

    /// The table that the trainer reads.
    pub fn table(&self, set: &StudySet) -> SplitTable {
        SplitTable::new(self.images.iter().map(|&(index, part)| (&set.items[index].id, part)))
    }

    /// Known patients that have images in several parts.
    pub fn shared_groups<'a>(&self, set: &'a StudySet) -> BTreeSet<&'a str> {
        let mut seen: BTreeMap<&str, Part> = BTreeMap::new();
        let mut shared = BTreeSet::new();
        for &(index, part) in &self.images {
            let group = set.items[index].group.as_str();
            if *seen.entry(group).or_insert(part) != part {
                shared.insert(group);
            }
        }
        shared
    }

    /// Refuses a patient in several parts, unless the split by image was asked for by name. `path`
    /// is the table's, for the message.
    ///
    /// # Errors
    /// [`StudyError::Leak`].
    pub fn check_leaks(
        &self,
        set: &StudySet,
        split: SplitKind,
        path: &Path,
    ) -> Result<(), StudyError> {
        let shared = self.shared_groups(set);
        match (split, shared.first()) {
            (SplitKind::Patient, Some(example)) => Err(StudyError::Leak {
                path: path.to_owned(),
                count: shared.len(),
                example: (*example).to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// What each part holds.
    pub fn counts(&self, set: &StudySet) -> Vec<PartCounts> {
        let count = |part: Part| {
            let items: Vec<&Item> =
                self.part(part).into_iter().map(|index| &set.items[index]).collect();
            let with = |label: Label| {
                items.iter().filter(|item| item.labels[label.index()]).count() as u64
            };
            let groups: BTreeSet<&str> = items.iter().map(|item| item.group.as_str()).collect();
            PartCounts {
                part: part.name().to_owned(),
                images: items.len() as u64,
                positives: Label::ALL.into_iter().map(|label| (label, with(label))).collect(),
                groups: groups.len() as u64,
                unknown_patients: items.iter().filter(|item| !item.known).count() as u64,
            }
        };
        Part::ALL.map(count).to_vec()
    }
}

/// Why these parts cannot be trained, chosen or tested on; `None` if they can.
pub(crate) fn too_few(counts: &[PartCounts], batch: usize) -> Option<String> {
    for part in counts {
        let (positives, negatives) = (part.any(), part.images - part.any());
        if positives == 0 || negatives == 0 {
            return Some(format!(
                "{positives} positive and {negatives} negative images in {}; expected some of each",
                part.part
            ));
        }
    }
    let train = counts.first().map_or(0, |part| part.images);
    (train < batch as u64)
        .then(|| format!("{train} images to train on do not fill a batch of {batch}"))
}

/// The indices of the chosen images, ascending.
fn choose(
    items: &[Item],
    within: &dyn Fn(&usize) -> bool,
    draw: Draw,
    options: &StudyOptions,
    seed: u64,
) -> Vec<usize> {
    let with = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
        let right = |index: &usize| items[*index].types().is_some_and(wanted) && within(index);
        (0..items.len()).filter(right).collect()
    };
    let positives = with(&|types| types >= draw.question.min_types());
    let negatives = with(&|types| types == 0);
    let most = options.positives.unwrap_or(usize::MAX);
    let mut chosen = sample(positives, most, seed, 1);
    chosen.extend(sample(negatives, options.negatives, seed, 2));
    chosen.sort_unstable();
    chosen
}

/// At most so many of them; `stream` parts the random numbers of one sample from another's.
fn sample(mut indices: Vec<usize>, most: usize, seed: u64, stream: u64) -> Vec<usize> {
    if indices.len() > most {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        indices.shuffle(&mut random);
        indices.truncate(most);
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Question;
    use crate::study::testing::set;

    fn options() -> StudyOptions {
        StudyOptions { positives: Some(40), negatives: 50, ..StudyOptions::quick() }
    }

    fn draw(types: usize, split: SplitKind, repeat: u64) -> Draw {
        Draw { question: Question::AtLeast(types), split, repeat }
    }

    #[test]
    fn positives_have_enough_types_and_negatives_none() {
        let set = set(60, 8);
        let negatives_of = |types| {
            let selection =
                Selection::draw(&set, draw(types, SplitKind::Patient, 0), None, &options())
                    .unwrap();
            let (positive, negative): (Vec<usize>, Vec<usize>) = selection
                .images
                .iter()
                .map(|(index, _)| *index)
                .partition(|&index| set.items[index].labels[Label::Any.index()]);
            assert!(positive.len() <= 40 && negative.len() == 50);
            assert!(positive.iter().all(|&index| set.items[index].types().unwrap() >= types));
            negative
        };
        // Subsets are compared on the same slices without hemorrhage.
        assert_eq!(negatives_of(1), negatives_of(3));
    }

    #[test]
    fn repeats_draw_anew_and_the_same_repeat_the_same() {
        let set = set(60, 8);
        let images = |repeat| {
            Selection::draw(&set, draw(1, SplitKind::Patient, repeat), None, &options()).unwrap()
        };
        assert_eq!(images(0), images(0));
        assert_ne!(images(0), images(1));
    }

    #[test]
    fn a_patient_stands_in_one_part_unless_the_split_by_image_is_asked_for() {
        let set = set(60, 8);
        let path = Path::new("split.csv");
        let by_patient =
            Selection::draw(&set, draw(1, SplitKind::Patient, 0), None, &options()).unwrap();
        by_patient.check_leaks(&set, SplitKind::Patient, path).unwrap();
        let by_image =
            Selection::draw(&set, draw(1, SplitKind::Image, 0), None, &options()).unwrap();
        assert!(!by_image.shared_groups(&set).is_empty());
        by_image.check_leaks(&set, SplitKind::Image, path).unwrap();
        let refused = by_image.check_leaks(&set, SplitKind::Patient, path).unwrap_err();
        assert!(refused.to_string().contains("split by patient"), "{refused}");
        // A table that is given is held to, and checked as well.
        let table = by_image.table(&set);
        let wanted = draw(1, SplitKind::Patient, 0);
        let given = Selection::draw(&set, wanted, Some(&table), &options()).unwrap();
        assert_eq!(given, by_image);
        assert!(given.check_leaks(&set, SplitKind::Patient, path).is_err());
        let few = SplitTable::new([(&set.items[0].id, Part::Test)]);
        let given = Selection::draw(&set, wanted, Some(&few), &options()).unwrap();
        assert_eq!(given.images, [(0, Part::Test)]);
    }

    #[test]
    fn few_positive_patients_of_different_subtypes_stand_in_every_part() {
        // Of these four have slices with three subtypes, each others.
        let set = set(24, 8);
        for repeat in 0..8 {
            let wanted = draw(3, SplitKind::Patient, repeat);
            let selection = Selection::draw(&set, wanted, None, &options()).unwrap();
            assert_eq!(too_few(&selection.counts(&set), 1), None, "repeat {repeat}");
        }
    }

    #[test]
    fn counts_add_up_and_say_what_is_too_little() {
        let set = set(60, 8);
        let selection =
            Selection::draw(&set, draw(2, SplitKind::Patient, 0), None, &options()).unwrap();
        let counts = selection.counts(&set);
        let images: u64 = counts.iter().map(|part| part.images).sum();
        assert_eq!(images as usize, selection.images.len());
        assert!(counts.iter().all(|part| part.unknown_patients <= part.images));
        assert_eq!(too_few(&counts, 8), None);
        assert!(too_few(&counts, 1000).unwrap().contains("batch of 1000"));
        let mut none = counts.clone();
        none[2].positives.insert(Label::Any, 0);
        assert!(too_few(&none, 8).unwrap().contains("0 positive"), "{none:?}");
    }
}
