//! The figures as Markdown, for a model card or a paper's draft.

use std::fmt::Write;

use hemora_ct::Label;
use hemora_metrics::{DECISION_METRICS, LabelMetrics};
use hemora_page::number::decimal;
use hemora_page::title;

use crate::page::interval_text;
use crate::{Comparison, Evaluation};

/// What to know of a comparison of a calibrated model.
pub(crate) const OTHER_UNCALIBRATED: &str = "This model is calibrated, the other as it was given: its \
                                             losses may be larger for that alone.";

/// The figures of every level and operating point as Markdown tables.
pub fn markdown(evaluation: &Evaluation) -> String {
    document(evaluation, "#")
}

/// The same as a section of a model's card, with the subgroups.
pub fn card_section(evaluation: &Evaluation) -> String {
    let mut text = document(evaluation, "##");
    write_subgroups(&mut text, evaluation, "###");
    text
}

/// `heading` is the mark of the first heading; others are one deeper.
fn document(evaluation: &Evaluation, heading: &str) -> String {
    let mut text = format!(
        "{heading} Evaluation of {}\n\n{}\n\n{} slices, {} groups ({}). {:.0} % intervals, {} resamples of \
         whole groups.\n",
        plain(&evaluation.name),
        evaluation.notice,
        evaluation.alignment.evaluated,
        evaluation.grouping.groups,
        plain(&evaluation.grouping.kind),
        evaluation.bootstrap.confidence * 100.0,
        evaluation.bootstrap.repeats
    );
    // Writing to a string cannot fail.
    if evaluation.tuned_on_these_cases {
        let _ =
            writeln!(text, "\n**Tuned on these cases: figures at operating points are too good.**");
    }
    for warning in &evaluation.warnings {
        let _ = writeln!(text, "\n- {}", plain(warning));
    }
    write_levels(&mut text, evaluation, heading);
    write_lesions(&mut text, evaluation, heading);
    write_comparison(&mut text, evaluation, heading);
    text
}

fn write_levels(text: &mut String, evaluation: &Evaluation, heading: &str) {
    for level in &evaluation.levels {
        let metrics = &level.metrics;
        let _ = writeln!(
            text,
            "\n{heading}# By {}\n\n{} from {} groups\n\n| label | positive | AUROC | average precision | log \
             loss | Brier | ECE |\n|---|---:|---|---|---|---|---|",
            level.level, metrics.items, metrics.groups
        );
        for label in &metrics.labels {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                title(label.label),
                label.positives,
                interval_text(&label.auroc),
                interval_text(&label.average_precision),
                interval_text(&label.log_loss),
                interval_text(&label.brier),
                decimal(label.expected_calibration_error)
            );
        }
        if let Some(loss) = &metrics.competition_log_loss {
            let _ = writeln!(text, "\nWeighted log loss: {}", interval_text(loss));
        }
        if metrics.labels.iter().all(|label| label.decisions.is_empty()) {
            continue;
        }
        write_decisions(text, &metrics.labels);
    }
}

/// The metrics of short tables at each operating point.
fn write_decisions(text: &mut String, labels: &[LabelMetrics]) {
    let brief = || DECISION_METRICS.iter().filter(|metric| metric.is_brief);
    let titles: String =
        brief().map(|metric| format!(" {} |", in_sentence(metric.title))).collect();
    let rules = "---|".repeat(brief().count());
    let _ =
        writeln!(text, "\n| label | operating point | threshold |{titles}\n|---|---|---:|{rules}");
    for label in labels {
        for decisions in &label.decisions {
            let figures: String = brief()
                .map(|metric| format!(" {} |", interval_text((metric.interval)(decisions))))
                .collect();
            let _ = writeln!(
                text,
                "| {} | {} | {:.4} |{figures}",
                title(label.label),
                plain(&decisions.point.name),
                decisions.point.threshold
            );
        }
    }
}

/// A heading as it stands within a sentence; an abbreviation stays as it is.
fn in_sentence(heading: &str) -> String {
    let mut letters = heading.chars();
    match (letters.next(), heading.chars().nth(1)) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => heading.to_owned(),
    }
}

fn write_lesions(text: &mut String, evaluation: &Evaluation, heading: &str) {
    let Some(lesions) = &evaluation.lesions else { return };
    if lesions.labels.iter().all(|label| label.decisions.is_empty()) {
        return;
    }
    let _ = writeln!(
        text,
        "\n{heading}# By lesion (run of positive slices)\n\n{} series\n\n| label | operating point | lesions | \
         found | false alarms a series |\n|---|---|---:|---|---|",
        lesions.series
    );
    for label in &lesions.labels {
        for decisions in &label.decisions {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                title(label.label),
                plain(&decisions.name),
                label.runs,
                interval_text(&decisions.sensitivity),
                interval_text(&decisions.false_runs_a_series)
            );
        }
    }
}

fn write_comparison(text: &mut String, evaluation: &Evaluation, heading: &str) {
    let Some(comparison) = &evaluation.comparison else { return };
    let _ = writeln!(
        text,
        "\n{heading}# Compared with {}\n\nThis model minus the other, on the same cases and the same \
         resamples of whole groups; DeLong's paired test with clusters. p adjusted for the number of labels \
         (Holm).\n",
        plain(&comparison.other.file)
    );
    if evaluation.calibration.is_some() {
        let _ = writeln!(text, "{OTHER_UNCALIBRATED}\n");
    }
    comparison_table(text, comparison);
}

/// The differences at every level for every label as a table.
pub(crate) fn comparison_table(text: &mut String, comparison: &Comparison) {
    text.push_str(
        "| level | label | AUROC of the other | AUROC, difference | p, resampled | p, DeLong | log loss, \
         difference |\n|---|---|---|---|---|---|---|\n",
    );
    for one in &comparison.labels {
        let difference = &one.difference;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            one.level,
            title(one.label),
            difference.second_auroc.as_ref().map_or("–".to_owned(), interval_text),
            interval_text(&difference.auroc),
            decimal(one.auroc_p_value_holm),
            decimal(one.delong_p_value_holm),
            interval_text(&difference.log_loss)
        );
    }
}

/// AUROC of any hemorrhage, or of the only label, by subgroup.
fn write_subgroups(text: &mut String, evaluation: &Evaluation, heading: &str) {
    let first = evaluation.mistakes.first().map_or(Label::Any, |mistake| mistake.label);
    let mut rows = String::new();
    for group in &evaluation.subgroups {
        let Some(one) = group.labels.iter().find(|one| one.label == first) else { continue };
        let _ = writeln!(
            rows,
            "| {} | {}{} | {} | {} | {} | {} |",
            plain(&group.column),
            plain(&group.value),
            if one.small { " ‡" } else { "" },
            group.items,
            group.groups,
            one.positives,
            interval_text(&one.auroc)
        );
    }
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n{heading} Subgroups: {}\n\n‡ fewer than ten positives or negatives, or fewer than five \
         groups.\n\n| column | value | slices | groups | positive | AUROC |\n|---|---|---:|---:|---:|---|\n\
         {rows}",
        title(first).to_lowercase()
    );
}

/// Text from a file in one line that disturbs no table.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() || "|<>`*".contains(letter) { ' ' } else { letter })
        .take(300)
        .collect()
}
