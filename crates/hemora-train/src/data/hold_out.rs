//! Which images a run trains on, validates on and tests on.

use hemora_ct::LABEL_COUNT;
use hemora_data::{LoaderSet, Part, Split, SplitTable, k_folds, leaks, split};

use super::{By, HoldOut, LoadError, SplitPlan};
use crate::output::Reporter;

/// Divides the first `main` images of `set`, which are in `groups`; the others are trained on. The
/// second value are the test images.
///
/// # Errors
/// [`LoadError`] if there are too few patients, or one is on two sides.
pub(super) fn divide(
    plan: &SplitPlan,
    set: &LoaderSet,
    groups: &[String],
    main: usize,
    reporter: Reporter,
) -> Result<(Split, Vec<usize>), LoadError> {
    let (mut split, test) = match &plan.hold_out {
        HoldOut::Table(table) => listed(table, set, main, reporter),
        HoldOut::SetFold { fold, fold_by_id } => {
            let held_out = |index: &usize| fold_by_id.get(set.id(*index)) == Some(&fold.index);
            let (validation, train) = (0..main).partition(held_out);
            (Split { train, validation }, Vec::new())
        }
        HoldOut::Fraction(_) | HoldOut::Fold(_) => {
            (drawn(plan, &set.all_labels()[..main], &groups[..main])?, Vec::new())
        }
    };
    split.train.extend(main..set.len());
    let sides = [("train", &split.train), ("validation", &split.validation), ("test", &test)];
    refuse_leaks(plan.by, &sides, groups, reporter)?;
    Ok((split, test))
}

/// The part of the groups that a plan holds out by drawing: one of its folds, or a fraction.
///
/// # Errors
/// [`LoadError`] if there are too few groups.
pub fn hold_out<G: AsRef<str>>(
    plan: &SplitPlan,
    labels: &[[bool; LABEL_COUNT]],
    groups: &[G],
) -> Result<Split, LoadError> {
    match &plan.hold_out {
        HoldOut::Fraction(fraction) => Ok(split(labels, groups, *fraction, plan.seed)?),
        HoldOut::Fold(fold) | HoldOut::SetFold { fold, .. } => {
            Ok(k_folds(labels, groups, fold.count, plan.seed)?.swap_remove(fold.index))
        }
        HoldOut::Table(_) => Ok(Split { train: (0..labels.len()).collect(), validation: vec![] }),
    }
}

/// The split that the run draws itself.
fn drawn(
    plan: &SplitPlan,
    labels: &[[bool; LABEL_COUNT]],
    groups: &[String],
) -> Result<Split, LoadError> {
    match plan.by {
        By::Patient => hold_out(plan, labels, groups),
        By::Image => {
            let alone: Vec<String> = (0..groups.len()).map(|index| index.to_string()).collect();
            hold_out(plan, labels, &alone)
        }
    }
}

/// The parts that a table names, among the first `main` images.
fn listed(
    table: &SplitTable,
    set: &LoaderSet,
    main: usize,
    reporter: Reporter,
) -> (Split, Vec<usize>) {
    let images_in = |part| {
        (0..main).filter(|&index| table.part(set.id(index)) == Some(part)).collect::<Vec<_>>()
    };
    let [train, validation, test] = Part::ALL.map(images_in);
    let present = train.len() + validation.len() + test.len();
    if present < table.len() {
        reporter
            .warn(&format!("{} images of the split table are not there", table.len() - present));
    }
    (Split { train, validation }, test)
}

/// Refuses a patient on two sides, unless the split is by image.
fn refuse_leaks(
    by: By,
    sides: &[(&'static str, &Vec<usize>); 3],
    groups: &[String],
    reporter: Reporter,
) -> Result<(), LoadError> {
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let leaking = leaks(sides[a].1, sides[b].1, groups);
        let Some(example) = leaking.first() else { continue };
        let (first, second) = (sides[a].0, sides[b].0);
        let patients = leaking.len();
        match by {
            By::Patient => {
                let example = example.to_string();
                return Err(LoadError::Leak { patients, first, second, example });
            }
            By::Image => reporter
                .warn(&format!("{patients} patients are in {first} and {second}: split by image")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Fold;
    use super::*;

    #[test]
    fn every_image_is_held_out_once() {
        let labels = vec![[false; LABEL_COUNT]; 12];
        let groups: Vec<String> = (0..12).map(|image| format!("p{}", image / 2)).collect();
        let mut held_out = [0; 12];
        for index in 0..3 {
            let fold = HoldOut::Fold(Fold { count: 3, index });
            let plan = SplitPlan { hold_out: fold, by: By::Patient, seed: 0 };
            for image in hold_out(&plan, &labels, &groups).unwrap().validation {
                held_out[image] += 1;
            }
        }
        assert_eq!(held_out, [1; 12]);
    }
}
