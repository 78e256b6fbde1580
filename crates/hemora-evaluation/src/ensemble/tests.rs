//! Ensembles of small tables.

use std::path::{Path, PathBuf};

use hemora_ct::Label;
use hemora_data::{SliceScore, SliceTable};

use super::*;

/// Four patients in two folds, 30 slices each; `shift` makes the model worse.
fn table(shift: f32) -> SliceTable {
    let row = |at: u32| {
        let truth = at.is_multiple_of(3);
        let value = if truth { 0.7 - shift } else { 0.2 + shift * (at % 5) as f32 / 5.0 };
        SliceScore {
            series: format!("s{}", at / 30),
            patient: format!("p{}", at / 30),
            id: format!("ID_{at}"),
            z_mm: Some(f64::from(at)),
            fold: at / 30 % 2,
            labels: [Some(0.0), None, None, None, None, Some(f32::from(u8::from(truth)))],
            probabilities: [0.1, 0.5, 0.5, 0.5, 0.5, value],
            ..SliceScore::default()
        }
    };
    SliceTable { rows: (0..120).map(row).collect() }
}

fn written(folder: &Path, tables: &[SliceTable]) -> Vec<(String, PathBuf)> {
    let write = |(at, table): (usize, &SliceTable)| {
        let path = folder.join(format!("{at}.parquet"));
        table.write(&path).unwrap();
        (format!("model-{at}"), path)
    };
    tables.iter().enumerate().map(write).collect()
}

#[test]
fn the_least_loss_out_of_fold_is_chosen_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (table(0.0), table(0.4));
    // Rows in another order are the same slices.
    let mut turned = bad.clone();
    turned.rows.reverse();
    let tables = written(folder.path(), &[good.clone(), turned]);
    let (fit, out) = fit_ensemble(&tables, EnsembleOptions::default()).unwrap();
    assert_eq!((fit.chosen, fit.patients, fit.folds), (EnsembleMethod::WeightedMean, 4, 2));
    let any = &fit.labels[5];
    assert_eq!((any.items, any.positives, any.fitted), (120, 40, true));
    assert_eq!(any.weights, [1.0, 0.0]);
    let losses = &any.log_loss;
    assert!(losses.models[0] < losses.mean && losses.mean < losses.models[1], "{losses:?}");
    assert_eq!(losses.weighted_mean, losses.models[0]);
    assert_eq!(out, good, "all weight on the good one");
    // One class: equal weights, which say so; labels of which nothing is known have no loss.
    let none = &fit.labels[0];
    assert_eq!((none.fitted, &*none.weights), (false, &[0.5, 0.5][..]));
    assert_eq!((fit.labels[1].items, fit.labels[1].log_loss.mean), (0, None));
    let expected = (2.0 * any.log_loss.mean.unwrap() + none.log_loss.mean.unwrap()) / 3.0;
    assert!((fit.log_loss.mean.unwrap() - expected).abs() < 1e-12);

    let path = folder.path().join("ensemble.json");
    std::fs::write(&path, serde_json::to_vec(&fit).unwrap()).unwrap();
    let read = read_ensemble_fit(&path).unwrap();
    assert_eq!((read.chosen, &read.models), (fit.chosen, &fit.models));
    let only_mean =
        EnsembleOptions { method: Some(EnsembleMethod::Mean), ..EnsembleOptions::default() };
    let (_, mean) = fit_ensemble(&tables, only_mean).unwrap();
    let expected = (good.rows[7].probabilities[5] + bad.rows[7].probabilities[5]) / 2.0;
    assert!((mean.rows[7].probabilities[5] - expected).abs() < 1e-6);
    // Of the same model twice the mean is not beaten, so it is kept.
    let twice = written(folder.path(), &[good.clone(), good]);
    let (fit, _) = fit_ensemble(&twice, EnsembleOptions::default()).unwrap();
    assert_eq!(fit.chosen, EnsembleMethod::Mean);
}

#[test]
fn trees_are_fitted_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let tables = written(folder.path(), &[table(0.2), table(0.3)]);
    let options = EnsembleOptions { stacking: true, neighbours: 1, ..EnsembleOptions::default() };
    let (fit, out) = fit_ensemble(&tables, options).unwrap();
    // What is above a half is positive, and no mean says so as surely.
    assert_eq!(fit.chosen, EnsembleMethod::Stacking, "{:?}", fit.log_loss);
    let stacking = fit.stacking.as_ref().unwrap();
    assert_eq!((stacking.models, stacking.neighbours, stacking.labels.len()), (2, 1, 1));
    assert_eq!(fit.labels[0].log_loss.stacking, fit.labels[0].log_loss.weighted_mean);
    assert_ne!(out.rows[7].probabilities[5], table(0.2).rows[7].probabilities[5]);
    let path = folder.path().join("ensemble.json");
    std::fs::write(&path, serde_json::to_vec(&fit).unwrap()).unwrap();
    assert_eq!(read_ensemble_fit(&path).unwrap().stacking.unwrap().labels.len(), 1);
}

#[test]
fn tables_that_do_not_belong_together_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |edit: &dyn Fn(&mut SliceTable)| {
        let mut other = table(0.1);
        edit(&mut other);
        let tables = written(folder.path(), &[table(0.0), other]);
        fit_ensemble(&tables, EnsembleOptions::default()).unwrap_err().to_string()
    };
    for (said, expected) in [
        (
            refused(&|it| drop(it.rows.pop())),
            "1.parquet: 1 slices of the first table are absent: ID_119",
        ),
        (refused(&|it| it.rows[3].id = "ID_other".into()), "absent: ID_3"),
        (
            refused(&|it| it.rows.iter_mut().for_each(|row| row.fold = 1 - row.fold)),
            "120 slices are in another fold",
        ),
        (refused(&|it| it.rows[4].labels[5] = Some(1.0)), "1 slices have other labels"),
    ] {
        assert!(said.contains(expected), "{said}");
    }
    let mut more = table(0.1);
    more.rows.push(SliceScore { id: "ID_more".into(), ..more.rows[119].clone() });
    let tables = written(folder.path(), &[table(0.0), more]);
    let said = fit_ensemble(&tables, EnsembleOptions::default()).unwrap_err().to_string();
    assert!(said.contains("not in the first table: ID_more"), "{said}");
    let twice = [tables[0].clone(), tables[0].clone()];
    let said = fit_ensemble(&twice, EnsembleOptions::default()).unwrap_err().to_string();
    assert!(said.contains("two models are called `model-0`"), "{said}");
    let mut one = table(0.0);
    one.rows.iter_mut().for_each(|row| row.fold = 0);
    let one = written(folder.path(), &[one.clone(), one]);
    let said = fit_ensemble(&one, EnsembleOptions::default()).unwrap_err().to_string();
    assert!(said.contains("one fold"), "{said}");
    assert!(fit_ensemble(&[], EnsembleOptions::default()).is_err());
    // What is no probability is refused as the table is read.
    let row = "s,t,p,i,1.5,,0,0,1,,0,0,1,.1,.2,.3,.4,.5,NaN";
    let names = |prefix: &str| Label::ALL.map(|label| format!("{prefix}_{label}")).join(",");
    let head = "series,study,patient,id,z_mm,spacing_mm,fold";
    let csv = format!("{head},{},{}\n{row}\n", names("label"), names("prob"));
    let path = folder.path().join("nan.csv");
    std::fs::write(&path, csv).unwrap();
    let nan = [("nan".to_owned(), path)];
    let said = fit_ensemble(&nan, EnsembleOptions::default()).unwrap_err().to_string();
    assert!(said.contains("`NaN` is no probability"), "{said}");
}

#[test]
fn documents_with_wrong_numbers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tables = written(folder.path(), &[table(0.0), table(0.3)]);
    let (fit, _) = fit_ensemble(&tables, EnsembleOptions::default()).unwrap();
    let path = folder.path().join("ensemble.json");
    type Edit = fn(&mut EnsembleFit);
    let edits: [(Edit, &str); 6] = [
        (|it| it.schema_version = 2, "version is 2"),
        (|it| it.labels.swap(0, 1), "six in order"),
        (|it| it.labels[2].weights = vec![0.5, 0.4], "weights of intraventricular"),
        (|it| it.labels[2].weights = vec![1.5, -0.5], "weights of intraventricular"),
        (|it| it.labels[2].weights = vec![1.0], "weights of intraventricular"),
        (|it| it.chosen = EnsembleMethod::Stacking, "no stacking"),
    ];
    for (edit, expected) in edits {
        let mut other = fit.clone();
        edit(&mut other);
        std::fs::write(&path, serde_json::to_vec(&other).unwrap()).unwrap();
        let said = read_ensemble_fit(&path).unwrap_err().to_string();
        assert!(said.contains(expected) && said.contains("ensemble.json"), "{said}");
    }
}
