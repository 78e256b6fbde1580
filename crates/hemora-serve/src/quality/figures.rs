//! Rows of studies to figures.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use hemora_ct::Label;
use hemora_metrics::{quantile, wilson};
use hemora_store::{Class, QualityRow};

use super::drift::drift;
use crate::http::types::{LabelAgreement, NotScored, Quality, QualityWeek, Rate, TimeTo};

/// Confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// How readers' feedback is counted.
const HOW: &str = "A study counts in the week of its newest result. For each label the newest feedback of any \
reader on that result counts; a positive study is confirmed or refuted by the feedback on any hemorrhage. \
Feedback is not ground truth: readers comment on what surprises them, so its shares are not those of all \
studies. Intervals are Wilson's, 95 %. Times are those of studies whose newest result was made in these weeks; \
a study that was scored again counts with its last scoring.";

/// The Monday with which `weeks` weeks begin, this one with them.
pub(crate) fn begin(weeks: u32, now: DateTime<Utc>) -> DateTime<Utc> {
    let first = monday(now) - Days::new(7 * u64::from(weeks.saturating_sub(1)));
    first.and_time(NaiveTime::MIN).and_utc()
}

fn monday(at: DateTime<Utc>) -> NaiveDate {
    let date = at.date_naive();
    date - Days::new(date.weekday().num_days_from_monday().into())
}

/// Figures of `rows`, which have results since `since`. `first` are the studies that the present model
/// scored first, with their probabilities.
pub(crate) fn quality(
    rows: &[QualityRow],
    first: &[(String, f64)],
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Quality {
    Quality {
        since,
        weeks: weeks(rows, since, now),
        labels: labels(rows),
        times: times(rows),
        drift: drift(rows, first),
        not_scored: not_scored(rows),
        how: HOW.to_owned(),
    }
}

/// The share of `count` in `total`; `None` of none.
fn rate(count: u64, total: u64) -> Option<Rate> {
    let interval = wilson(count, total, CONFIDENCE).ok()?;
    Some(Rate { value: interval.value?, low: interval.low?, high: interval.high? })
}

/// The newest feedback on a label: whether it agrees.
fn word(row: &QualityRow, label: Label) -> Option<bool> {
    row.words.iter().find(|(of, _)| of == label.name()).map(|(_, agrees)| *agrees)
}

fn weeks(rows: &[QualityRow], since: DateTime<Utc>, now: DateTime<Utc>) -> Vec<QualityWeek> {
    let empty = |monday| QualityWeek {
        monday,
        scored: 0,
        flagged: 0,
        not_sure: 0,
        confirmed: 0,
        refuted: 0,
        ppv: None,
    };
    let last = monday(now);
    let mondays = monday(since).iter_weeks().take_while(|monday| *monday <= last);
    let mut weeks: Vec<QualityWeek> = mondays.map(empty).collect();
    for row in rows.iter().filter(|row| row.class != Class::NotScored) {
        let of = monday(row.result_at);
        let Some(week) = weeks.iter_mut().find(|week| week.monday == of) else { continue };
        week.scored += 1;
        week.not_sure += u64::from(row.class == Class::NotSure);
        if row.class == Class::Positive {
            week.flagged += 1;
            let word = word(row, Label::Any);
            week.confirmed += u64::from(word == Some(true));
            week.refuted += u64::from(word == Some(false));
        }
    }
    for week in &mut weeks {
        week.ppv = rate(week.confirmed, week.confirmed + week.refuted);
    }
    weeks
}

fn labels(rows: &[QualityRow]) -> Vec<LabelAgreement> {
    let subtypes = Label::ALL.into_iter().filter(|label| *label != Label::Any);
    let agreement = |label: Label| {
        let words = || rows.iter().filter_map(|row| word(row, label));
        let agreed = words().filter(|agrees| *agrees).count() as u64;
        let all = words().count() as u64;
        LabelAgreement {
            label: label.name().to_owned(),
            agreed,
            disagreed: all - agreed,
            agreement: rate(agreed, all),
        }
    };
    std::iter::once(Label::Any).chain(subtypes).map(agreement).collect()
}

fn times(rows: &[QualityRow]) -> Vec<TimeTo> {
    let scored = || rows.iter().filter(|row| row.class != Class::NotScored);
    type Length = fn(&QualityRow) -> Option<TimeDelta>;
    let kinds: [(&str, Length); 4] = [
        ("from the last image to the result", |row| Some(row.result_at - row.last_at)),
        ("from the last image to the first look", |row| Some(row.first_opened_at? - row.last_at)),
        ("from the result to the first look", |row| Some(row.first_opened_at? - row.result_at)),
        ("from the last image to the acknowledgement", |row| Some(row.read_at? - row.last_at)),
    ];
    let time = |(what, length): (&str, Length)| {
        // What was looked at before does not count as quick.
        let lengths = scored().filter_map(length).filter(|it| *it >= TimeDelta::zero());
        let mut seconds: Vec<f64> =
            lengths.map(|it| it.num_milliseconds() as f64 / 1000.0).collect();
        seconds.sort_by(f64::total_cmp);
        TimeTo {
            what: what.to_owned(),
            studies: seconds.len() as u64,
            p50_s: quantile(&seconds, 0.5),
            p95_s: quantile(&seconds, 0.95),
        }
    };
    kinds.into_iter().map(time).collect()
}

fn not_scored(rows: &[QualityRow]) -> Vec<NotScored> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for row in rows.iter().filter(|row| row.class == Class::NotScored) {
        *counts.entry(row.cause.as_deref().unwrap_or("no reason was kept")).or_default() += 1;
    }
    let counted = |(reason, studies): (&str, u64)| NotScored { reason: reason.to_owned(), studies };
    let mut all: Vec<NotScored> = counts.into_iter().map(counted).collect();
    all.sort_by(|a, b| b.studies.cmp(&a.studies).then_with(|| a.reason.cmp(&b.reason)));
    all
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Friday noon.
    pub(in super::super) fn now() -> DateTime<Utc> {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    pub(in super::super) fn row(study: usize, class: Class, probability: f64) -> QualityRow {
        QualityRow {
            study_uid: format!("1.2.{study}"),
            revision: 1,
            class,
            probability: (class != Class::NotScored).then_some(probability),
            reason: None,
            cause: None,
            first_at: now() - TimeDelta::seconds(100),
            last_at: now() - TimeDelta::seconds(30),
            result_at: now(),
            first_opened_at: None,
            read_at: None,
            source_ae: "CT1".to_owned(),
            model_sha256: "model".to_owned(),
            words: Vec::new(),
        }
    }

    fn said(row: QualityRow, label: &str, agrees: bool) -> QualityRow {
        QualityRow { words: vec![(label.to_owned(), agrees)], ..row }
    }

    #[test]
    fn weeks_begin_on_mondays_and_empty_ones_are_there() {
        let since = begin(3, now());
        assert_eq!(since.to_rfc3339(), "2026-11-09T00:00:00+00:00");
        let early = QualityRow { result_at: since, ..row(9, Class::Negative, 0.1) };
        let rows = [
            early,
            said(row(1, Class::Positive, 0.9), "any", true),
            said(row(2, Class::Positive, 0.8), "any", true),
            said(row(3, Class::Positive, 0.7), "any", false),
            said(row(4, Class::Positive, 0.7), "subdural", false),
            said(row(5, Class::Negative, 0.1), "any", true),
            row(6, Class::NotSure, 0.4),
            row(7, Class::NotScored, 0.0),
        ];
        let found = quality(&rows, &[], since, now());
        let counts = |week: &QualityWeek| [week.scored, week.flagged, week.not_sure];
        assert_eq!(
            found.weeks.iter().map(counts).collect::<Vec<_>>(),
            [[1, 0, 0], [0; 3], [6, 4, 1]]
        );
        let week = &found.weeks[2];
        assert_eq!((week.confirmed, week.refuted), (2, 1));
        // Wilson's interval of 2 of 3, as statsmodels has it.
        let ppv = week.ppv.unwrap();
        assert!((ppv.value - 2.0 / 3.0).abs() < 1e-12);
        assert!((ppv.low - 0.2077).abs() < 1e-4 && (ppv.high - 0.9385).abs() < 1e-4, "{ppv:?}");
        assert_eq!(found.weeks[0].ppv, None);
        let any = &found.labels[0];
        assert_eq!((any.label.as_str(), any.agreed, any.disagreed), ("any", 3, 1));
        let subdural = found.labels.iter().find(|it| it.label == "subdural").unwrap();
        assert_eq!((subdural.agreed, subdural.disagreed), (0, 1));
        assert_eq!(found.labels.iter().map(|it| it.agreed).sum::<u64>(), 3);
    }

    #[test]
    fn times_are_quantiles_of_what_is_known() {
        let took = |study: usize, seconds: i64, opened: Option<i64>| QualityRow {
            last_at: now() - TimeDelta::seconds(seconds),
            first_opened_at: opened.map(|after| now() + TimeDelta::seconds(after)),
            ..row(study, Class::Negative, 0.1)
        };
        let rows = [took(1, 1, Some(9)), took(2, 2, Some(-1)), took(3, 3, None)];
        let times = quality(&rows, &[], begin(1, now()), now()).times;
        let figures = |at: usize| (times[at].studies, times[at].p50_s, times[at].p95_s);
        assert_eq!(figures(0), (3, Some(2.0), Some(2.9)));
        assert_eq!(figures(1).0, 2);
        assert_eq!(figures(2), (1, Some(9.0), Some(9.0)));
        assert_eq!(figures(3), (0, None, None));
    }

    #[test]
    fn studies_that_were_not_scored_are_counted_by_their_reason() {
        let because = |study, reason: &str| QualityRow {
            cause: Some(reason.to_owned()),
            ..row(study, Class::NotScored, 0.0)
        };
        let rows = [
            because(1, "not a DICOM file; left out"),
            because(2, "a localizer"),
            because(3, "not a DICOM file; left out"),
            row(4, Class::NotScored, 0.0),
        ];
        let found = quality(&rows, &[], begin(1, now()), now()).not_scored;
        let found: Vec<_> = found.iter().map(|it| (it.reason.as_str(), it.studies)).collect();
        let each =
            [("not a DICOM file; left out", 2), ("a localizer", 1), ("no reason was kept", 1)];
        assert_eq!(found, each);
    }
}
