//! `report.html`: the ranked page of the most suspicious studies of an archive.

use std::collections::BTreeMap;

use hemora_ct::NOTICE;
use hemora_model::{SCHEMA_VERSION, SkippedCount, SkippedFile, ToolRef, TriageResult};
use hemora_report::Report;

use crate::pictured::{Pictured, PicturedLines};
use crate::store::Store;
use crate::tables::{Row, skipped_of};
use crate::{ArchiveError, Counts, Job, TableRef};

/// Failed images that the page names.
const NAMED: usize = 100;
/// Reasons that it counts apart, of failures and of others.
const REASONS: usize = 50;

/// What the page says of images without a result.
#[derive(Debug, Default)]
pub(super) struct SkippedTally {
    failed: Vec<SkippedFile>,
    /// Of images that are left out by a rule, and of those that failed, which the others do not crowd out.
    reasons: [BTreeMap<String, usize>; 2],
    other_reasons: usize,
}

impl SkippedTally {
    /// Takes a row of skipped images in.
    pub(super) fn add(&mut self, row: &Row) {
        let (source, reason, failed) = skipped_of(row);
        if failed && self.failed.len() < NAMED {
            let [source, reason] = [source, reason].map(str::to_owned);
            self.failed.push(SkippedFile { source, reason, failed });
            return;
        }
        let reasons = &mut self.reasons[usize::from(failed)];
        if let Some(count) = reasons.get_mut(reason) {
            *count += 1;
        } else if reasons.len() < REASONS {
            reasons.insert(reason.to_owned(), 1);
        } else {
            self.other_reasons += 1;
        }
    }

    /// The images that are named, and how many more there are for each reason.
    fn finish(self) -> (Vec<SkippedFile>, Vec<SkippedCount>) {
        let others = (self.other_reasons > 0).then(|| {
            ("for other reasons, which skipped.parquet names".to_owned(), self.other_reasons)
        });
        let [by_rule, failed] = self.reasons;
        let more = failed.into_iter().chain(by_rule).chain(others);
        let more = more.map(|(reason, files)| SkippedCount { reason, files });
        (self.failed, more.collect())
    }
}

/// Writes the page.
pub(super) fn write(
    store: &Store,
    name: &str,
    lines: &PicturedLines,
    (job, counts, tally): (&Job, Counts, SkippedTally),
) -> Result<TableRef, ArchiveError> {
    let (mut studies, mut pictures) = (Vec::new(), Vec::new());
    for line in lines.iter() {
        let pictured = Pictured::from_line(line, "a study that is pictured")?;
        studies.push(pictured.study);
        pictures.extend(pictured.pictures);
    }
    let (skipped, skipped_more) = tally.finish();
    let rows = studies.len() as u64;
    let result = TriageResult {
        schema_version: SCHEMA_VERSION,
        notice: NOTICE.to_owned(),
        tool: ToolRef { name: "hemora".to_owned(), version: job.tool_version.clone() },
        model: job.model.clone(),
        engine: job.engine.clone(),
        studies,
        skipped,
        skipped_more,
    };
    let failed = |source| ArchiveError::Report { file: store.name_of(name), source };
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let report = Report::new(&result, &pictures).map_err(failed)?;
    let report = report.most_suspicious_of(count(counts.studies), count(counts.slices));
    let (_, sha256) = store.build(name, |mut out| report.write(&mut out).map_err(failed))?;
    Ok(TableRef { file: name.to_owned(), rows, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::skipped_row;

    #[test]
    fn failures_are_named_and_everything_is_counted() {
        let mut tally = SkippedTally::default();
        for number in 0..300 {
            tally.add(&skipped_row("1.2", &format!("{number}"), "cut off", true));
            tally.add(&skipped_row("1.2", &format!("{number}"), "a localizer", false));
            tally.add(&skipped_row(
                "1.2",
                &format!("{number}"),
                &format!("copy of {number}"),
                false,
            ));
        }
        let (named, more) = tally.finish();
        assert_eq!((named.len(), named[99].source.as_str()), (100, "99"));
        assert_eq!(named.len() + more.iter().map(|it| it.files).sum::<usize>(), 900);
        let of = |reason: &str| more.iter().find(|it| it.reason.contains(reason)).unwrap().files;
        assert_eq!((of("cut off"), of("localizer"), of("skipped.parquet")), (200, 300, 251));
        assert_eq!(more.len(), REASONS + 2);
    }
}
