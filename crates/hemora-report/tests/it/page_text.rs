//! The page's words, held as a snapshot: `INSTA_UPDATE=always` renews it.

use hemora_model::{SkippedCount, SkippedFile};

use crate::support::{page, result, study};

/// The words of a page, a line for each run of text, without markup and style.
fn words(html: &str) -> String {
    let mut lines = String::new();
    let mut rest = html;
    let mut is_style = false;
    while let Some((text, tag)) = rest.split_once('<') {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !(text.is_empty() || is_style) {
            lines.push_str(&text);
            lines.push('\n');
        }
        is_style = tag.starts_with("style");
        rest = tag.split_once('>').map_or("", |(_, rest)| rest);
    }
    lines
}

#[test]
fn the_words_of_the_page_are_as_in_the_snapshot() {
    let mut quiet = study("1.2.3", 0.2, 3);
    quiet.series[0].warnings.push("the gantry is tilted by 20 degrees".into());
    quiet.warnings.push("2 series were scored".into());
    let mut result = result(vec![study("1.2.4", 0.9, 4), quiet]);
    let file = |source: &str, reason: &str, failed| SkippedFile {
        source: source.into(),
        reason: reason.into(),
        failed,
    };
    result.skipped.push(file("scan/notes.txt", "is not a DICOM file", false));
    result.skipped.push(file("scan/cut.dcm", "ends within the pixels", true));
    let more = SkippedCount { reason: "is not a DICOM file".into(), files: 49_900 };
    result.skipped_more.push(more);
    insta::assert_snapshot!("page", words(&page(&result, &[])));
}
