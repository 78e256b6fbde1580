//! Accuracy by subset, as in the presentation: a group of bars a subset, one chart a split.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_page::{Escaped, Scale};

use super::class;
use crate::study::baseline::BaselineKind;
use crate::study::document::StudyDocument;
use crate::study::markdown::rows;
use crate::study::summary::Who;
use crate::study::words::{network_title, percent, split_title};
use crate::study::{Question, SplitKind};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 210.0;
const BAR: f64 = 38.0;

pub(super) fn write(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    if document.options.subsets.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"accuracy\"><h2 id=\"accuracy\">Accuracy by subset</h2>\
         <p>Dashed: the accuracy of always giving the commoner answer.</p><p class=\"legend\">"
    )?;
    for network in &document.options.networks {
        writeln!(
            out,
            "<span><svg class=\"key\" viewBox=\"0 0 24 12\" aria-hidden=\"true\">\
             <rect class=\"{}\" width=\"24\" height=\"12\"/></svg> {}</span>",
            class(document, network),
            Escaped(network_title(network))
        )?;
    }
    writeln!(out, "</p><div class=\"pair\">")?;
    for (place, &split) in document.options.splits.iter().enumerate() {
        writeln!(out, "<div><h3>{}</h3>", split_title(split))?;
        write_chart(out, document, split, place)?;
        writeln!(out, "</div>")?;
    }
    writeln!(out, "</div></section>")
}

fn write_chart(
    out: &mut dyn Write,
    document: &StudyDocument,
    split: SplitKind,
    place: usize,
) -> io::Result<()> {
    let up = Scale { domain: [0.0, 1.0], range: [BOTTOM, TOP] };
    write!(
        out,
        "<svg class=\"chart bars\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Accuracy \
         by subset, {}; the same numbers stand in the table of results\"><g class=\"axes\">",
        split_title(split).to_lowercase()
    )?;
    for value in up.ticks(5, 0.1) {
        let y = up.at(value);
        write!(
            out,
            "<path d=\"M{LEFT} {y:.1}H{WIDTH}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.0}\
             \u{a0}%</text>",
            LEFT - 6.0,
            y + 4.0,
            value * 100.0
        )?;
    }
    write!(out, "</g>")?;
    let subsets = &document.options.subsets;
    let group = (WIDTH - LEFT) / subsets.len() as f64;
    for (at, &types) in subsets.iter().enumerate() {
        let start = LEFT + group * at as f64;
        let bars = document.options.networks.len() as f64;
        let bar = BAR.min(group * 0.8 / bars);
        let mut x = start + (group - bars * bar) / 2.0;
        for (who, summaries) in rows(document, Question::AtLeast(types), Label::Any) {
            let value = summaries[place].and_then(|one| one.accuracy.mean);
            match (&who, value) {
                (Who::Network(network), value) => {
                    if let Some(value) = value {
                        write_bar(out, &class(document, network), x, bar, &up, value)?;
                    }
                    x += bar;
                }
                (Who::Baseline(BaselineKind::Majority), Some(value)) => {
                    let y = up.at(value);
                    write!(
                        out,
                        "<path class=\"chance\" d=\"M{:.1} {y:.1}H{:.1}\"/>",
                        start + group * 0.06,
                        start + group * 0.94
                    )?;
                }
                (Who::Baseline(_), _) => {}
            }
        }
        write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{types}+ types</text>",
            start + group / 2.0,
            BOTTOM + 20.0
        )?;
    }
    writeln!(out, "</svg>")
}

fn write_bar(
    out: &mut dyn Write,
    class: &str,
    x: f64,
    width: f64,
    up: &Scale,
    value: f64,
) -> io::Result<()> {
    let y = up.at(value);
    write!(
        out,
        "<rect class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
         <title>{}</title></rect><text class=\"value\" x=\"{:.1}\" y=\"{:.1}\" \
         text-anchor=\"middle\">{:.0}</text>",
        x + 1.0,
        width - 2.0,
        BOTTOM - y,
        percent(Some(value)),
        x + width / 2.0,
        y - 4.0,
        value * 100.0
    )
}
