//! The page of a study: one HTML file for a reader who knows the seed study's slides.

mod bars;
mod curves;
mod guide;
mod tables;

use std::io::{self, Write};

use hemora_evaluation::STYLE as EVALUATION_STYLE;
use hemora_page::{Escaped, write_head};

use crate::study::document::StudyDocument;
use crate::study::words::network_title;

const STYLE: &str = include_str!("style.css");

/// Writes the page of a study.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_html(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    let style = format!("{EVALUATION_STYLE}{STYLE}");
    write_head(out, "Hemora study, for research use only", &style)?;
    writeln!(out, "<a class=\"skip\" href=\"#results\">Skip to the results</a>")?;
    write_header(out, document)?;
    writeln!(out, "<main>")?;
    write_warnings(out, document)?;
    tables::write_results(out, document)?;
    bars::write(out, document)?;
    curves::write_roc(out, document)?;
    tables::write_subtypes(out, document)?;
    tables::write_confusions(out, document)?;
    curves::write_training(out, document)?;
    tables::write_images(out, document)?;
    guide::write(out, document)?;
    writeln!(
        out,
        "</main>\n<footer><p>{}</p></footer>\n</body>\n</html>",
        Escaped(&document.notice)
    )
}

fn write_header(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    let options = &document.options;
    let training = &options.training;
    writeln!(
        out,
        "<header><h1>The seed study, reproduced</h1>\n\
         <div class=\"notice\" role=\"note\"><p><strong>{}</strong></p></div>\n\
         <p>Simple NN, Deep CNN and ResNet50 from random weights, on slices with hemorrhage of so many \
         types against slices without. <a href=\"#guide\">How to read this page</a></p>",
        Escaped(&document.notice)
    )?;
    let epochs: Vec<String> = options
        .networks
        .iter()
        .map(|name| format!("{} {}", network_title(name), options.epochs(name)))
        .collect();
    let rate = training.learning_rate.map_or(String::new(), |rate| format!(", rate {rate}"));
    let facts = [
        ("Images", format!("{} of {}", document.set.images, document.set.name)),
        ("Preset", options.preset.clone()),
        ("Input", format!("{0} × {0} pixels", training.size)),
        ("Training", format!("{}{rate}, batches of {}", training.optimizer, training.batch)),
        ("Epochs", epochs.join(", ")),
        ("Repeats", format!("{}, from seed {}", options.repeats, options.seed)),
        ("Trained on", document.device.clone().unwrap_or_else(|| "–".to_owned())),
        ("Program", format!("{} {}", document.tool.name, document.tool.version)),
    ];
    write!(out, "<dl class=\"made\">")?;
    for (what, value) in facts {
        write!(out, "<div><dt>{what}</dt><dd>{}</dd></div>", Escaped(&value))?;
    }
    writeln!(out, "</dl></header>")
}

fn write_warnings(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    if document.warnings.is_empty() {
        return Ok(());
    }
    writeln!(out, "<div class=\"warnings\"><strong>To know first</strong><ul>")?;
    for warning in &document.warnings {
        writeln!(out, "<li>{}</li>", Escaped(warning))?;
    }
    writeln!(out, "</ul></div>")
}

/// The class of a network's lines and bars: the first three are told apart by colour and dashes.
fn class(document: &StudyDocument, network: &str) -> String {
    let place = document.options.networks.iter().position(|name| name == network);
    format!("n{}", place.unwrap_or(0).min(3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::document;
    use crate::study::{Outcome, SplitKind};

    fn page(document: &StudyDocument) -> String {
        let mut out = Vec::new();
        write_html(&mut out, document).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_page_has_the_presentations_parts_and_loads_nothing() {
        let document = document(|_| ());
        let page = page(&document);
        for part in ["results", "accuracy", "roc", "subtypes", "confusion", "training", "images"] {
            assert!(page.contains(&format!("<h2 id=\"{part}\">")), "{part}");
        }
        // The study's own figures, and the share of its slices without hemorrhage.
        for reported in ["84.1\u{a0}%", "0.137", "75.3\u{a0}%"] {
            assert!(page.contains(reported), "{reported}");
        }
        // Nine cells of either split have curves, matrices and training curves.
        assert_eq!(page.matches("<figcaption>").count(), 6 + 2 * (9 + 3));
        assert_eq!(page.matches("class=\"matrix\"").count(), 18);
        assert_eq!(page.matches("ResNet50 0.9").count() + page.matches("ResNet50 1.0").count(), 6);
        for forbidden in ["<script", "http://", "https://", "url(", "NaN"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("<table").count(), page.matches("</table>").count());
    }

    #[test]
    fn what_failed_or_cannot_be_run_is_named() {
        let mut document = document(|options| {
            options.splits = vec![SplitKind::Patient];
            options.subtypes = false;
        });
        document.cells[0].outcome = Outcome::Failed("hemora-train ended with 1:\n<b>".into());
        document.cells[1].outcome = Outcome::Impossible("0 positive images".into());
        document.cells.pop();
        let Outcome::Measured(measured) = &mut document.cells[2].outcome else { panic!() };
        measured.figures[0].auc.low = Some(0.45);
        document.summaries = crate::study::summarise(&document.draws, &document.cells);
        document.warnings = crate::study::warnings::warnings(&document);
        let page = page(&document);
        for text in [
            ">failed<",
            ">too few images<",
            ">not run yet<",
            "8 of 9 cells",
            "ended with 1",
            "better than a coin",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("<b>"));
    }

    #[test]
    fn repeats_have_a_spread_instead_of_an_interval() {
        let document = document(|options| {
            options.repeats = 2;
            options.subsets = vec![1];
            options.splits = vec![SplitKind::Image];
        });
        let page = page(&document);
        assert!(page.contains("<span class=\"ci\">± "));
        assert!(page.contains("of the first repeat"));
        assert!(page.contains("images in several parts, as asked for"));
    }
}
