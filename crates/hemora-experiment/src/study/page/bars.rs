//! Accuracy by subset, as in the presentation: a group of bars a subset, one chart a split.

use hemora_ct::Label;
use hemora_page::chart::{Axis, Chart, Frame};
use hemora_page::{section, short};
use maud::{Markup, html};

use super::layout::class;
use crate::study::baseline::BaselineKind;
use crate::study::document::StudyDocument;
use crate::study::markdown::rows;
use crate::study::summary::Who;
use crate::study::words::{network_title, percent, split_title};
use crate::study::{Question, SplitKind};

const FRAME: Frame =
    Frame { width: 560.0, height: 250.0, left: 52.0, right: 560.0, top: 18.0, bottom: 210.0 };

/// Widest bar, in units of the canvas.
const WIDEST: f64 = 38.0;

pub(super) fn accuracy(document: &StudyDocument) -> Markup {
    let options = &document.options;
    if options.subsets.is_empty() {
        return html! {};
    }
    section(
        "accuracy",
        "Accuracy by subset",
        html! {
            p { "Dashed: the accuracy of always giving the commoner answer." }
            p class="legend" {
                @for network in &options.networks {
                    span {
                        svg class="key" viewBox="0 0 24 12" aria-hidden="true" {
                            rect class=(class(document, network)) width="24" height="12" {}
                        }
                        " " (short(network_title(network)))
                    }
                }
            }
            div class="pair" {
                @for (index, &split) in options.splits.iter().enumerate() {
                    div {
                        h3 { (split_title(split)) }
                        (chart(document, split, index))
                    }
                }
            }
        },
    )
}

/// The bars of a split, which is the one at `index` of the study's.
fn chart(document: &StudyDocument, split: SplitKind, index: usize) -> Markup {
    let options = &document.options;
    let subsets = options.subsets.iter().map(|types| format!("{types}+ types"));
    let shares = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
    let shares = shares.map(|share| (share, format!("{:.0}\u{a0}%", share * 100.0)));
    let mut chart =
        Chart::new(FRAME, Axis::categories("", subsets), Axis::with_ticks("", [0.0, 1.0], shares));
    let networks = options.networks.len().max(1) as f64;
    // In parts of a group's width.
    let width = (0.8 / networks).min(WIDEST / (chart.x(1.0) - chart.x(0.0)));
    for (group, &types) in options.subsets.iter().enumerate() {
        let start = group as f64;
        let mut left = start + (1.0 - networks * width) / 2.0;
        for (who, summaries) in rows(document, Question::AtLeast(types), Label::Any) {
            let value = summaries[index].and_then(|summary| summary.accuracy.mean);
            match &who {
                Who::Network(network) => {
                    if let Some(value) = value {
                        let number = format!("{:.0}", value * 100.0);
                        let class = class(document, network);
                        let ends = [left, left + width];
                        chart.bar(&class, ends, value, &number, &percent(Some(value)));
                    }
                    left += width;
                }
                Who::Baseline(BaselineKind::Majority) => {
                    if let Some(value) = value {
                        chart.line("chance", [[start + 0.06, value], [start + 0.94, value]]);
                    }
                }
                Who::Baseline(_) => {}
            }
        }
    }
    chart.picture(
        "bars",
        &format!(
            "Accuracy by subset, {}; the same numbers stand in the table of results",
            split_title(split).to_lowercase()
        ),
    )
}
