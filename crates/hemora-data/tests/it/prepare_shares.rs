//! A set prepared in shares in one folder: the bytes of one run, whoever does what.

use std::ops::ControlFlow;

use hemora_base::WorkShard;
use hemora_data::{
    Negatives, Output, PrepareError, PrepareRecipe, PrepareReport, Selection, prepare_share,
};
use hemora_testing::content;

use crate::phantoms::{Set, small};

fn share(
    set: &Set,
    out: &str,
    recipe: &PrepareRecipe,
    selection: &Selection,
    number: u32,
) -> Result<PrepareReport, PrepareError> {
    let share = WorkShard::new(number, 3).unwrap();
    let go_on = |_, _| ControlFlow::Continue(());
    prepare_share(&set.path("set.parquet"), &set.path(out), recipe, selection, share, &go_on)
}

/// Recipes with small shards, which several shares have a part of.
fn recipe(name: &str) -> PrepareRecipe {
    let mut recipe = small(name);
    if let Output::Hu { shard_slices } = &mut recipe.output {
        *shard_slices = 3;
    }
    recipe
}

#[test]
fn shares_at_the_same_time_make_the_set_that_one_run_makes() {
    let set = Set::new();
    let selection = Selection { negatives: Negatives::Ratio(0.5), ..Selection::default() };
    for name in ["howard", "winner-neighbours", "hu"] {
        let (recipe, out) = (recipe(name), format!("{name}-shares"));
        let whole = set.prepare(name, &recipe, &selection);
        let done: Vec<PrepareReport> = std::thread::scope(|scope| {
            let run = |number| {
                let (set, out, recipe, selection) = (&set, &out, &recipe, &selection);
                scope.spawn(move || share(set, out, recipe, selection, number).unwrap())
            };
            let runs: Vec<_> = (1..=3).map(run).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        // Each slice is of one share, and no share has all of them.
        let slices: Vec<usize> = done.iter().map(|it| it.slices).collect();
        assert_eq!(slices.iter().sum::<usize>(), whole.slices, "{name}: {slices:?}");
        assert!(slices.iter().all(|it| *it < whole.slices), "{name}: {slices:?}");
        assert!(!set.path(&out).join("labels.csv").exists());
        assert_eq!(set.prepare(&out, &recipe, &selection), whole);
        assert!(content(&set.path(&out)) == content(&set.path(name)), "{name}");
    }
}

#[test]
fn what_a_share_did_not_do_the_last_run_does() {
    let set = Set::new();
    let (recipe, selection) = (recipe("hu"), Selection::default());
    let whole = set.prepare("whole", &recipe, &selection);
    share(&set, "shares", &recipe, &selection, 2).unwrap();
    // A share of another set has no place there.
    let other = Selection { seed: 1, ..Selection::default() };
    let error = share(&set, "shares", &recipe, &other, 1).unwrap_err();
    assert!(matches!(error, PrepareError::OtherSet(_)), "{error}");
    // A share that was killed leaves the folder that it had locked.
    std::fs::create_dir_all(set.path("shares/shares/00001-of-00003")).unwrap();
    assert_eq!(set.prepare("shares", &recipe, &selection), whole);
    assert!(content(&set.path("shares")) == content(&set.path("whole")));
    assert!(!set.path("shares/shares").exists());
}

#[test]
fn settings_that_were_counted_otherwise_are_refused() {
    let set = Set::new();
    let (recipe, selection) = (recipe("howard"), Selection::default());
    share(&set, "shares", &recipe, &selection, 1).unwrap();
    let path = set.path("shares/recipe.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n# Of a machine that could not read all.\n")).unwrap();
    let error = share(&set, "shares", &recipe, &selection, 2).unwrap_err();
    assert!(matches!(error, PrepareError::OtherFrequencies(_)), "{error}");
}
