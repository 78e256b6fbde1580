//! What `hemora ensemble fit` found, as a table for people.

use std::fmt::Write;

use hemora_evaluation::{EnsembleFit, EnsembleLosses};

/// Each label's log loss of each way out of fold, and its weights; `slices` is the number of slices.
pub fn fit_table(fit: &EnsembleFit, slices: usize) -> String {
    let mut text = format!(
        "log loss out of fold: {slices} slices, {} patients, {} folds\n",
        fit.patients, fit.folds
    );
    for (index, model) in fit.models.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  model {}: {}", index + 1, model.name);
    }
    let _ = write!(text, "label             positive");
    for number in 1..=fit.models.len() {
        let _ = write!(text, "  {:>7}", format!("model {number}"));
    }
    let stacking = if fit.stacking.is_some() { "  stacking" } else { "" };
    let _ = writeln!(text, "     mean  weighted{stacking}  weights");
    for label in &fit.labels {
        let weights: Vec<String> =
            label.weights.iter().map(|weight| format!("{weight:.3}")).collect();
        let why = if label.fitted { "" } else { " (equal: too few of a class)" };
        let _ = writeln!(
            text,
            "{:<17} {:>8}{}  {}{why}",
            label.label,
            label.positives,
            losses(&label.log_loss, fit.stacking.is_some()),
            weights.join(" ")
        );
    }
    let all = losses(&fit.log_loss, fit.stacking.is_some());
    let _ = writeln!(text, "{:<26}{all}", "all, any twice");
    let _ = writeln!(text, "chosen: {}, {}", fit.chosen, shown(fit.log_loss.of(fit.chosen)));
    text
}

/// The columns of losses of a row.
fn losses(losses: &EnsembleLosses, stacking: bool) -> String {
    let mut row = String::new();
    for &loss in &losses.models {
        let _ = write!(row, "  {:>7}", shown(loss));
    }
    let _ = write!(row, "  {:>7}  {:>8}", shown(losses.mean), shown(losses.weighted_mean));
    if stacking {
        let _ = write!(row, "  {:>8}", shown(losses.stacking));
    }
    row
}

fn shown(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.4}"))
}
