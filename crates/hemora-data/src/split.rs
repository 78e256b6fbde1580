//! Seeded splits by group (patient), stratified by the rarest subtype of each group.

use std::collections::{BTreeMap, BTreeSet};

use hemora_ct::{LABEL_COUNT, Label};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::labels::count_positives;

/// Indices of the images on either side, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Images to train on.
    pub train: Vec<usize>,
    /// Images held out.
    pub validation: Vec<usize>,
}

/// Why a set cannot be split as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SplitError {
    /// The fraction leaves one side empty.
    #[error("validation fraction {0} is not between 0 and 1")]
    Fraction(f64),
    /// One fold is no split.
    #[error("{0} folds; expected at least 2")]
    Folds(usize),
    /// Labels and groups do not belong together.
    #[error("{labels} labels and {groups} groups; expected one of each for every image")]
    Lengths {
        /// Number of label rows.
        labels: usize,
        /// Number of group names.
        groups: usize,
    },
    /// A part would stay empty.
    #[error("{groups} groups (patients) cannot fill {parts} parts; use fewer parts or more data")]
    TooFewGroups {
        /// Distinct groups.
        groups: usize,
        /// Parts asked for.
        parts: usize,
    },
}

/// Holds out about `fraction` of the images, whole groups only. `groups[i]` names the group of
/// image `i` ([`Groups::assign`](crate::Groups::assign)).
///
/// A group counts under its rarest positive label, and every label gives its share to either side,
/// at least one group if it has two: so a label with few positives stands on both sides. The same
/// groups, labels and seed give the same split in whatever order the images come.
///
/// # Errors
/// [`SplitError`] if the fraction is not between 0 and 1 or there are fewer than two groups.
pub fn split<G: AsRef<str>>(
    labels: &[[bool; LABEL_COUNT]],
    groups: &[G],
    fraction: f64,
    seed: u64,
) -> Result<Split, SplitError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(SplitError::Fraction(fraction));
    }
    let parts = partition(labels, groups, &[1.0 - fraction, fraction], seed)?;
    Ok(side(&parts, 1))
}

/// `folds` splits, each image held out in exactly one of them; otherwise as [`split`].
///
/// # Errors
/// [`SplitError`] if there are fewer than two folds or fewer groups than folds.
pub fn k_folds<G: AsRef<str>>(
    labels: &[[bool; LABEL_COUNT]],
    groups: &[G],
    folds: usize,
    seed: u64,
) -> Result<Vec<Split>, SplitError> {
    if folds < 2 {
        return Err(SplitError::Folds(folds));
    }
    // Checked before the shares are allocated: the count may come from a command line.
    if folds > groups.len() {
        return Err(SplitError::TooFewGroups { groups: groups.len(), parts: folds });
    }
    let parts = partition(labels, groups, &vec![1.0 / folds as f64; folds], seed)?;
    Ok((0..folds).map(|fold| side(&parts, fold)).collect())
}

/// Groups that have images on both sides of a split, in the order of their names: empty if nothing
/// leaks.
pub fn leaks<G: AsRef<str>>(train: &[usize], validation: &[usize], groups: &[G]) -> Vec<String> {
    let names = |side: &[usize]| -> BTreeSet<&str> {
        side.iter().filter_map(|&index| groups.get(index)).map(AsRef::as_ref).collect()
    };
    names(train).intersection(&names(validation)).map(|name| (*name).to_owned()).collect()
}

fn side(parts: &[usize], held_out: usize) -> Split {
    let (validation, train) = (0..parts.len()).partition(|&index| parts[index] == held_out);
    Split { train, validation }
}

/// The part, from 0, of every image, whole groups only, as [`split`] deals them. `shares` are the
/// wanted sizes of the parts and add up to 1.
///
/// # Errors
/// [`SplitError`] if there are fewer groups than parts, or labels and groups of different numbers.
pub fn partition<G: AsRef<str>>(
    labels: &[[bool; LABEL_COUNT]],
    groups: &[G],
    shares: &[f64],
    seed: u64,
) -> Result<Vec<usize>, SplitError> {
    if labels.len() != groups.len() {
        return Err(SplitError::Lengths { labels: labels.len(), groups: groups.len() });
    }
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        members.entry(group.as_ref()).or_default().push(index);
    }
    if members.len() < shares.len() {
        return Err(SplitError::TooFewGroups { groups: members.len(), parts: shares.len() });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut part_of: BTreeMap<&str, usize> = BTreeMap::new();
    for mut stratum in strata(labels, &members) {
        stratum.shuffle(&mut rng);
        deal(&stratum, &members, shares, &mut part_of);
    }
    fill_empty(&members, shares.len(), &mut part_of);
    let mut parts = vec![0; labels.len()];
    for (group, indices) in &members {
        for &index in indices {
            parts[index] = part_of[group];
        }
    }
    Ok(parts)
}

/// Groups by the rarest label that one of their images has, rarest label first; those without any
/// hemorrhage last.
fn strata<'a>(
    labels: &[[bool; LABEL_COUNT]],
    members: &BTreeMap<&'a str, Vec<usize>>,
) -> Vec<Vec<&'a str>> {
    let counts = count_positives(labels.iter().copied());
    let mut order = Label::ALL;
    order.sort_by_key(|label| counts[label.index()]);
    let mut strata = vec![Vec::new(); LABEL_COUNT + 1];
    for (group, indices) in members {
        let has = |label: &Label| indices.iter().any(|&index| labels[index][label.index()]);
        strata[order.iter().position(has).unwrap_or(LABEL_COUNT)].push(*group);
    }
    strata
}

/// Gives each group to the part that is furthest below its share of this stratum's images.
fn deal<'a>(
    stratum: &[&'a str],
    members: &BTreeMap<&'a str, Vec<usize>>,
    shares: &[f64],
    part_of: &mut BTreeMap<&'a str, usize>,
) {
    let mut loads = vec![0usize; shares.len()];
    for (dealt, group) in stratum.iter().enumerate() {
        let size = members[group].len();
        let empty = loads.iter().filter(|load| **load == 0).count();
        let last_chance = stratum.len() >= shares.len() && stratum.len() - dealt <= empty;
        let fill = |part: usize| (loads[part] + size) as f64 / shares[part];
        let part = (0..shares.len())
            .filter(|&part| !last_chance || loads[part] == 0)
            .min_by(|&a, &b| fill(a).total_cmp(&fill(b)))
            .unwrap_or(0);
        loads[part] += size;
        part_of.insert(group, part);
    }
}

/// Moves a group into each empty part, the smallest of the part with the most groups: many labels
/// with one group each would all go to the largest part.
fn fill_empty<'a>(
    members: &BTreeMap<&'a str, Vec<usize>>,
    parts: usize,
    part_of: &mut BTreeMap<&'a str, usize>,
) {
    let mut counts = vec![0usize; parts];
    for part in part_of.values() {
        counts[*part] += 1;
    }
    while let Some(empty) = counts.iter().position(|count| *count == 0) {
        let Some(fullest) = (0..parts).max_by_key(|&part| counts[part]) else { return };
        let smallest = part_of
            .iter()
            .filter(|(_, part)| **part == fullest)
            .min_by_key(|(group, _)| members[*group].len())
            .map(|(group, _)| *group);
        let Some(group) = smallest else { return };
        part_of.insert(group, empty);
        counts[fullest] -= 1;
        counts[empty] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 120 patients with 1 to 7 images each; epidural in 4 patients, subdural in every fifth.
    fn set() -> (Vec<[bool; LABEL_COUNT]>, Vec<String>) {
        let mut labels = Vec::new();
        let mut groups = Vec::new();
        for patient in 0..120 {
            for image in 0..1 + patient * 5 % 7 {
                let epidural = patient % 30 == 7 && image == 0;
                let subdural = patient % 5 == 0;
                labels.push([epidural, false, false, false, subdural, epidural || subdural]);
                groups.push(format!("p{patient}"));
            }
        }
        (labels, groups)
    }

    fn positives(labels: &[[bool; LABEL_COUNT]], side: &[usize], label: Label) -> usize {
        side.iter().filter(|&&index| labels[index][label.index()]).count()
    }

    #[test]
    fn no_patient_stands_on_both_sides_and_every_label_does() {
        let (labels, groups) = set();
        for seed in 0..20 {
            let split = split(&labels, &groups, 0.2, seed).unwrap();
            assert_eq!(leaks(&split.train, &split.validation, &groups), Vec::<String>::new());
            assert_eq!(split.train.len() + split.validation.len(), labels.len());
            let share = split.validation.len() as f64 / labels.len() as f64;
            assert!((0.15..0.25).contains(&share), "{share}");
            for label in [Label::Epidural, Label::Subdural] {
                assert!(positives(&labels, &split.train, label) > 0);
                assert!(positives(&labels, &split.validation, label) > 0);
            }
        }
    }

    #[test]
    fn a_split_depends_on_the_seed_and_not_on_the_order_of_the_images() {
        let (mut labels, mut groups) = set();
        let names = |split: &Split, groups: &[String]| -> BTreeSet<String> {
            split.validation.iter().map(|&index| groups[index].clone()).collect()
        };
        let first = names(&split(&labels, &groups, 0.3, 7).unwrap(), &groups);
        let other = names(&split(&labels, &groups, 0.3, 8).unwrap(), &groups);
        assert_ne!(first, other);
        labels.reverse();
        groups.reverse();
        assert_eq!(first, names(&split(&labels, &groups, 0.3, 7).unwrap(), &groups));
    }

    #[test]
    fn folds_hold_out_every_image_once() {
        let (labels, groups) = set();
        let folds = k_folds(&labels, &groups, 4, 1).unwrap();
        let mut held_out: Vec<usize> =
            folds.iter().flat_map(|fold| fold.validation.clone()).collect();
        held_out.sort_unstable();
        assert_eq!(held_out, (0..labels.len()).collect::<Vec<_>>());
        for fold in &folds {
            assert!(leaks(&fold.train, &fold.validation, &groups).is_empty());
            assert_eq!(positives(&labels, &fold.validation, Label::Epidural), 1);
        }
    }

    #[test]
    fn a_leak_is_named() {
        assert_eq!(leaks(&[0, 1], &[2, 3], &["a", "b", "b", "c"]), ["b"]);
    }

    #[test]
    fn impossible_splits_are_refused_and_small_ones_fill_both_sides() {
        let none = [false; LABEL_COUNT];
        let one = [true, false, false, false, false, true];
        assert_eq!(split(&[none; 2], &["a", "b"], 1.0, 0), Err(SplitError::Fraction(1.0)));
        assert!(split(&[none; 2], &["a", "b"], f64::NAN, 0).is_err());
        assert_eq!(
            split(&[none; 2], &["a", "a"], 0.5, 0),
            Err(SplitError::TooFewGroups { groups: 1, parts: 2 })
        );
        assert!(matches!(k_folds(&[none; 2], &["a", "b"], 1, 0), Err(SplitError::Folds(1))));
        assert!(k_folds(&[none; 2], &["a", "b"], usize::MAX, 0).is_err());
        assert!(matches!(split(&[none], &["a", "b"], 0.5, 0), Err(SplitError::Lengths { .. })));
        let small = split(&[none, one], &["a", "b"], 0.1, 0).unwrap();
        assert_eq!((small.train.len(), small.validation.len()), (1, 1));
    }
}
