//! Which images a run holds out, and cross-validation: every image held out once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hemora_ct::LABEL_COUNT;
use hemora_data::{Split, k_folds, split};
use miette::{IntoDiagnostic, Result, WrapErr};
use serde::Serialize;

use crate::config::RunConfig;
use crate::files::write_whole;
use crate::progress::say;
use crate::validation::LabelInterval;

/// The part of the patients that `config` holds out: one of its folds, or a fraction.
///
/// # Errors
/// A report if there are too few patients.
pub fn hold_out<G: AsRef<str>>(
    config: &RunConfig,
    labels: &[[bool; LABEL_COUNT]],
    groups: &[G],
) -> Result<Split> {
    if config.folds == 0 {
        return split(labels, groups, config.validation, config.seed).into_diagnostic();
    }
    let mut folds = k_folds(labels, groups, config.folds, config.seed).into_diagnostic()?;
    Ok(folds.swap_remove(config.fold.saturating_sub(1)))
}

/// A label's AUROC over the folds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldSummary {
    /// AUROC of each fold; `null` where it is not defined.
    pub auroc: Vec<Option<f64>>,
    /// Mean of those that are.
    pub mean: Option<f64>,
    /// Their standard deviation; of fewer than two there is none.
    pub deviation: Option<f64>,
}

/// The AUROCs of each label over the folds.
pub fn summarise(folds: &[Vec<LabelInterval>]) -> BTreeMap<String, FoldSummary> {
    let mut labels: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for row in folds.iter().flatten() {
        labels.entry(row.label.name().to_owned()).or_default().push(row.auroc.value);
    }
    labels.into_iter().map(|(label, auroc)| (label, of_values(auroc))).collect()
}

fn of_values(auroc: Vec<Option<f64>>) -> FoldSummary {
    let defined: Vec<f64> = auroc.iter().copied().flatten().collect();
    let count = defined.len() as f64;
    let mean = (count > 0.0).then(|| defined.iter().sum::<f64>() / count);
    let deviation = mean.filter(|_| count > 1.0).map(|mean| {
        (defined.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
    });
    FoldSummary { auroc, mean, deviation }
}

/// Runs `train` for every fold in a folder of its own, then writes what all say together:
/// `folds.json`, and the predictions of all images as `validation.csv`; of several processes the
/// first one writes.
///
/// # Errors
/// What `train` says; a report if a file cannot be read or written.
pub fn run_all(
    config: &RunConfig,
    is_first: bool,
    train: impl Fn(&RunConfig) -> Result<Vec<LabelInterval>>,
) -> Result<()> {
    let mut found = Vec::new();
    let mut predictions = String::new();
    for fold in 1..=config.folds {
        say(&format!("fold {fold} of {}", config.folds));
        let out = config.out.join(format!("fold-{fold}"));
        found.push(train(&RunConfig { fold, out: out.clone(), ..config.clone() })?);
        if !is_first {
            continue;
        }
        let path = out.join("validation.csv");
        let text = std::fs::read_to_string(&path)
            .into_diagnostic()
            .wrap_err_with(|| path.display().to_string())?;
        // The head once.
        let rows =
            if fold == 1 { &*text } else { text.split_once('\n').map_or("", |(_, rows)| rows) };
        predictions.push_str(rows);
    }
    if !is_first {
        return Ok(());
    }
    let summary = summarise(&found);
    let json = serde_json::to_string_pretty(&summary).into_diagnostic()?;
    for (name, text) in [("folds.json", &json), ("validation.csv", &predictions)] {
        write_whole(&config.out.join(name), text.as_bytes()).into_diagnostic()?;
    }
    print!("{}", table(&summary, config.folds));
    println!("predictions of all images: {}", config.out.join("validation.csv").display());
    Ok(())
}

fn table(summary: &BTreeMap<String, FoldSummary>, folds: usize) -> String {
    let shown =
        |value: Option<f64>| value.map_or("undefined".to_owned(), |value| format!("{value:.4}"));
    let mut text = String::new();
    for (label, row) in summary {
        let _ = writeln!(
            text,
            "{label:<18} AUROC {} over {folds} folds, standard deviation {}",
            shown(row.mean),
            shown(row.deviation)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_leaves_out_folds_without_a_value() {
        let summary = of_values(vec![Some(0.5), None, Some(0.75)]);
        assert_eq!(summary.mean, Some(0.625));
        let deviation = summary.deviation.unwrap();
        assert!((deviation - 0.125 * 2f64.sqrt()).abs() < 1e-12, "{deviation}");
        assert_eq!(of_values(vec![Some(0.5), None]).deviation, None);
        assert_eq!(of_values(vec![None]).mean, None);
    }

    #[test]
    fn every_image_is_held_out_once() {
        let labels = vec![[false; LABEL_COUNT]; 12];
        let groups: Vec<String> = (0..12).map(|image| format!("p{}", image / 2)).collect();
        let mut seen = [0; 12];
        for fold in 1..=3 {
            let config = RunConfig { folds: 3, fold, ..RunConfig::default() };
            for index in hold_out(&config, &labels, &groups).unwrap().validation {
                seen[index] += 1;
            }
        }
        assert_eq!(seen, [1; 12]);
    }
}
