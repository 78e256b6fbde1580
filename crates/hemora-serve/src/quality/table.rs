//! The studies behind the figures as a table, without names.

use chrono::{DateTime, SecondsFormat, Utc};
use hemora_ct::Label;
use hemora_store::QualityRow;

/// A row a study: what was found, when what happened, and what readers said of each label.
pub(crate) fn csv(rows: &[QualityRow]) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let columns = [
        "study_instance_uid",
        "revision",
        "class",
        "probability",
        "reason",
        "source_ae",
        "first_image_at",
        "last_image_at",
        "result_at",
        "first_opened_at",
        "acknowledged_at",
    ];
    table.write_record(columns.into_iter().chain(Label::ALL.map(Label::name)))?;
    for row in rows {
        let fields = [
            plain(&row.study_uid),
            row.revision.to_string(),
            row.class.as_str().to_owned(),
            row.probability.map_or(String::new(), |value| value.to_string()),
            plain(row.reason.as_deref().unwrap_or_default()),
            plain(&row.source_ae),
            time(Some(row.first_at)),
            time(Some(row.last_at)),
            time(Some(row.result_at)),
            time(row.first_opened_at),
            time(row.read_at),
        ];
        let word = |label: Label| {
            match row.words.iter().find(|(of, _)| of == label.name()) {
                Some((_, true)) => "agrees",
                Some((_, false)) => "disagrees",
                None => "",
            }
            .to_owned()
        };
        table.write_record(fields.into_iter().chain(Label::ALL.map(word)))?;
    }
    table.into_inner().map_err(|error| error.into_error().into())
}

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or(String::new(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// A text from outside as a spreadsheet takes it for text: one that begins as a formula gets an apostrophe.
fn plain(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::row;
    use super::*;
    use hemora_store::Class;

    #[test]
    fn texts_of_others_are_no_formulas_and_break_no_row() {
        let odd = QualityRow {
            source_ae: "=HYPERLINK(1)".to_owned(),
            reason: Some("a \"localizer\",\nor two".to_owned()),
            words: vec![("any".to_owned(), false)],
            ..row(1, Class::Positive, 0.75)
        };
        let bytes = csv(&[odd, row(2, Class::NotScored, 0.0)]).unwrap();
        let mut table = csv::Reader::from_reader(&bytes[..]);
        let columns = table.headers().unwrap().clone();
        let records: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        let field = |row: usize, name: &str| {
            records[row].get(columns.iter().position(|it| it == name).unwrap()).unwrap()
        };
        assert_eq!(records.len(), 2);
        assert_eq!(field(0, "source_ae"), "'=HYPERLINK(1)");
        assert_eq!(field(0, "reason"), "a \"localizer\",\nor two");
        assert_eq!((field(0, "any"), field(0, "subdural")), ("disagrees", ""));
        assert_eq!((field(0, "probability"), field(1, "probability")), ("0.75", ""));
        assert_eq!(field(0, "result_at"), "2026-11-27T12:00:00Z");
    }
}
