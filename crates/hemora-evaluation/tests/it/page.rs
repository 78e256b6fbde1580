//! The page as a reader gets it.

use hemora_data::TableColumn;
use hemora_evaluation::{Cases, Evaluation, Mapping, evaluate, markdown, side_by_side, write_html};
use hemora_metrics::OperatingRule;

use crate::support::{Tables, label_csv, options, result_csv, slices, submission_csv};
use hemora_testing::sound::{assert_sound, unbalanced};

fn page(evaluation: &Evaluation) -> String {
    let mut out = Vec::new();
    write_html(&mut out, evaluation).unwrap();
    String::from_utf8(out).unwrap()
}

fn full() -> Evaluation {
    let tables = Tables::new();
    let mut part = String::from("id,part\n");
    slices().for_each(|(id, patient, _)| part += &format!("{id},<b>{}\n", patient % 2));
    let mut options = options();
    options.name = "<script>".to_owned();
    options.choose = vec![OperatingRule::Sensitivity(0.9), OperatingRule::Fixed(0.5)];
    options.tune_on_test = true;
    options.prevalences = vec![0.05];
    options.compare = Some((tables.write("other.csv", &submission_csv()), Mapping::default()));
    options.subgroups = vec![TableColumn {
        table: tables.write("part.csv", &part),
        id: "id".into(),
        column: "part".into(),
    }];
    let cases = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    evaluate(cases, &options).unwrap()
}

#[test]
fn a_full_page_is_sound_and_marks_what_was_tuned() {
    let html = page(&full());
    assert_sound(&html);
    for text in [
        "Evaluation of &lt;script&gt;",
        "For research use only",
        "Tuned on these cases",
        "sensitivity \u{2265} 0.9†",
        // Of subgroups too.
        "sensitivity \u{2265} 0.9†: ",
        "4 of 48 slices have any hemorrhage",
        "4 of 12 studies have any hemorrhage",
        "PPV at 5\u{a0}%",
        "Compared with other.csv",
        "&lt;b&gt;1‡",
        "Too few to judge",
        "All are of one kind",
        "ID_45",
    ] {
        assert!(html.contains(text), "the page lacks {text}");
    }
    assert_eq!(html.matches("receiver operating characteristic").count(), 2 * 3);
}

#[test]
fn hostile_text_comes_out_inert() {
    let evil = "<script>alert(1)</script>\"onload='x' <img src=x onerror=alert(1)>\u{202E}\u{0}";
    let text = || evil.to_owned();
    let mut evaluation = full();
    evaluation.name = text();
    evaluation.notice = text();
    evaluation.tool.name = text();
    evaluation.tool.version = text();
    evaluation.aggregation = text();
    evaluation.grouping.kind = text();
    evaluation.predictions.file = text();
    evaluation.predictions.sha256 = text();
    evaluation.contact_sheet = Some("javascript:alert(1)".to_owned());
    evaluation.undivided = vec![text()];
    evaluation.warnings.push(text());
    evaluation.comparison.as_mut().unwrap().other.file = text();
    for level in &mut evaluation.levels {
        for label in &mut level.metrics.labels {
            label.decisions.iter_mut().for_each(|decisions| decisions.point.name = text());
        }
    }
    for group in &mut evaluation.subgroups {
        (group.column, group.value) = (text(), text());
    }
    for mistake in &mut evaluation.mistakes {
        (mistake.id, mistake.group) = (text(), Some(text()));
    }
    let html = page(&evaluation);
    assert_eq!(unbalanced(&html), Vec::<String>::new());
    for forbidden in ["<script", "<img", "\"onload", "href=\"javascript:", "\u{202E}", "\u{0}"] {
        assert!(!html.contains(forbidden), "the page contains {forbidden:?}");
    }
    assert!(html.contains("href=\"./javascript:alert(1)\""), "a file beside the page");
    assert!(html.matches("&lt;script&gt;").count() > 20);
}

#[test]
fn a_page_without_extras_is_sound() {
    let tables = Tables::new();
    let cases = Cases::load(&tables.request(&submission_csv(), &label_csv())).unwrap();
    let evaluation = evaluate(cases, &options()).unwrap();
    let html = page(&evaluation);
    assert_sound(&html);
    assert!(html.contains("single slices are resampled"));
    assert!(html.contains("hemora calibrate") && !html.contains("Tuned on these cases"));
}

#[test]
fn tables_in_markdown_keep_their_columns() {
    let evaluation = full();
    for text in [markdown(&evaluation), side_by_side(&[evaluation.clone(), evaluation])] {
        assert!(!text.contains("<script>"));
        let mut columns = 0;
        for line in text.lines() {
            let here = line.matches('|').count();
            if line.starts_with('|') && columns > 0 {
                assert_eq!(here, columns, "{line}");
            }
            columns = here;
        }
        assert!(text.contains("Any hemorrhage |") && text.contains("| AUROC of the other |"));
    }
}

#[test]
fn runs_on_other_cases_are_said_to_be_so() {
    let one = full();
    let mut other = one.clone();
    other.alignment.evaluated = 7;
    assert!(!side_by_side(&[one.clone(), one.clone()]).contains("Not the same cases"));
    assert!(side_by_side(&[one, other]).contains("Not the same cases"));
}
