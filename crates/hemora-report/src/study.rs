//! One study: what the network predicts for it, and its series.

use hemora_ct::{Label, Probabilities};
use hemora_model::{StudyResult, Verdict};
use hemora_page::chart::share_bar;
use hemora_page::{count, number, or_dash, short, title, warnings};
use maud::{Markup, html};

use crate::figure::Figure;
use crate::leading::{any_first, leading};
use crate::series;

/// Number of scored slices of a study.
pub(crate) fn slice_count(study: &StudyResult) -> usize {
    study.series.iter().map(|series| series.slices.len()).sum()
}

/// A study, which is at `rank` (from 1) of `total` in the worklist; `figures` holds the key slices of
/// each series, in the order of the series.
pub(crate) fn study(
    study: &StudyResult,
    [rank, total]: [usize; 2],
    unfolded: bool,
    figures: &[Vec<Figure>],
) -> Markup {
    html! {
        details class="study" open[unfolded] {
            summary {
                h2 { "Study " (rank) " of " (total) }
                span { "patient " (or_dash(&study.patient_id)) }
                span {
                    "any hemorrhage " strong { (number::probability(study.probabilities.any)) }
                }
                span { (leading(&study.probabilities)) }
            }
            // The target of the links lies inside, so that following one unfolds the study.
            p id={ "study-" (rank) } {
                "Study " span class="uid" { (or_dash(&study.study_instance_uid)) } ": "
                (count(study.series.len(), "series", "series")) ", "
                (count(slice_count(study), "slice", "slices")) "."
            }
            (bars(&study.probabilities))
            (flags(study))
            (certainty(study))
            (warnings("Warnings about this study", &study.warnings))
            @for (index, (series, figures)) in study.series.iter().zip(figures).enumerate() {
                @let id = format!("study-{rank}-series-{}", index + 1);
                (series::series(series, &id, [index + 1, study.series.len()], figures))
            }
            p class="back" { a href="#worklist" { "Back to the worklist" } }
        }
    }
}

/// How many slices reach the model's stored thresholds for any hemorrhage; those of the subtypes are
/// in the result.
fn flags(study: &StudyResult) -> Markup {
    let slices = count(slice_count(study), "slice", "slices");
    html! {
        @for flag in study.flags.iter().filter(|flag| flag.label == Label::Any) {
            p {
                (title(flag.label)) ", threshold " (format!("{:.3}", flag.threshold)) " on a slice ("
                (short(&flag.operating_point)) "): "
                strong { (flag.flagged_slices) " of " (slices) } " flagged."
            }
        }
    }
}

/// What the model's thresholds of studies say, label by label, and why it is not sure.
fn certainty(study: &StudyResult) -> Markup {
    html! {
        @for of_label in &study.certainty {
            p {
                (title(of_label.label)) ": "
                strong {
                    (match of_label.verdict {
                        Verdict::Absent => "called absent",
                        Verdict::Present => "called present",
                        Verdict::NotSure => "not sure",
                    })
                }
                " (absent below " (format!("{:.3}", of_label.absent_below)) ", which at most "
                (number::short_percent(of_label.miss)) " % of new patients with it are; present from "
                (format!("{:.3}", of_label.present_from)) ", which at most "
                (number::short_percent(of_label.false_alarm)) " % of those without it reach)."
                @for reason in &of_label.reasons { " " (reason) "." }
            }
        }
    }
}

fn bars(probabilities: &Probabilities) -> Markup {
    html! {
        table class="bars" {
            caption { "Probability in this study" }
            tbody {
                @for label in any_first() {
                    @let value = probabilities.get(label);
                    tr class=[(label == Label::Any).then_some("any")] {
                        th scope="row" { (title(label)) }
                        td class="number" { (number::probability(value)) }
                        td { (share_bar(value)) }
                    }
                }
            }
        }
    }
}
