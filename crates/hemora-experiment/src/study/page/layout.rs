//! The page as a whole: header, order of the parts.

use std::io::{self, Write};

use hemora_page::{Page, facts, notice, short, warnings};
use maud::{Markup, html};

use super::{bars, confusions, curves, guide, images, results, subtypes};
use crate::study::document::StudyDocument;
use crate::study::words::network_title;

const STYLE: &str = include_str!("style.css");

/// Writes the page of a study.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_html(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    let page = Page {
        title: "Hemora study, for research use only",
        style: STYLE,
        skip: Some(("results", "Skip to the results")),
        header: header(document),
        notice: &document.notice,
    };
    // In the order of the page.
    let parts: [fn(&StudyDocument) -> Markup; 9] = [
        |document| warnings("To know first", &document.warnings),
        results::results,
        bars::accuracy,
        curves::roc_curves,
        subtypes::subtypes,
        confusions::confusions,
        curves::training_curves,
        images::images,
        guide::reading_guide,
    ];
    page.write(out, parts.into_iter().map(|part| part(document)))
}

fn header(document: &StudyDocument) -> Markup {
    let options = &document.options;
    let training = &options.training;
    let epochs: Vec<String> = options
        .networks
        .iter()
        .map(|name| format!("{} {}", network_title(name), options.epochs(name)))
        .collect();
    let rate = training.learning_rate.map_or(String::new(), |rate| format!(", rate {rate}"));
    let rows = [
        ("Images", format!("{} of {}", document.set.images, document.set.name)),
        ("Preset", options.preset.clone()),
        ("Input", format!("{0} × {0} pixels", training.size)),
        ("Training", format!("{}{rate}, batches of {}", training.optimizer, training.batch)),
        ("Epochs", epochs.join(", ")),
        ("Repeats", format!("{}, from seed {}", options.repeats, options.seed)),
        ("Trained on", document.device.clone().unwrap_or_else(|| "–".to_owned())),
        ("Program", format!("{} {}", document.tool.name, document.tool.version)),
    ];
    html! {
        h1 { "The seed study, reproduced" }
        (notice(&document.notice, None))
        p {
            "Simple NN, Deep CNN and ResNet50 from random weights, on slices with hemorrhage of so many \
             types against slices without. " a href="#guide" { "How to read this page" }
        }
        (facts(rows.map(|(name, value)| (name, html! { (short(&value)) }))))
    }
}

/// Words for figures that are of one repeat among several.
pub(super) fn of_first_repeat(document: &StudyDocument) -> &'static str {
    if document.options.repeats > 1 { ", of the first repeat" } else { "" }
}

/// The class of a network's lines and bars: the first three are told apart by colour and dashes.
pub(super) fn class(document: &StudyDocument, network: &str) -> String {
    let index = document.options.networks.iter().position(|name| name == network);
    format!("n{}", index.unwrap_or(0).min(3))
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

    #[test]
    fn hostile_text_comes_out_inert() {
        let evil = "<script>alert(1)</script>\"onload='x'\u{202E}\u{7}";
        // Every place where the document names a network, and what else is text.
        let text = serde_json::to_string(&document(|_| ())).unwrap();
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let text = text.replace(&quoted("simple-nn"), &quoted(evil));
        let mut document: StudyDocument = serde_json::from_str(&text).unwrap();
        assert!(document.options.networks.contains(&evil.to_owned()));
        for text in [
            &mut document.notice,
            &mut document.set.name,
            &mut document.tool.name,
            &mut document.tool.version,
            &mut document.options.preset,
        ] {
            *text = evil.to_owned();
        }
        document.device = Some(evil.to_owned());
        document.warnings.push(evil.to_owned());
        let page = page(&document);
        for forbidden in ["<script", "\"onload", "\u{202E}", "\u{7}"] {
            assert!(!page.contains(forbidden), "{forbidden:?}");
        }
        assert!(page.matches("&lt;script&gt;").count() > 30);
    }
}
