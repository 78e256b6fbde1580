//! The files that are not used, as the result names them.

use std::collections::BTreeMap;

use hemora_io::Collection;
use hemora_model::{SkippedCount, SkippedFile};

/// The files of a collection that are no slices of a study.
pub(crate) fn from_collection(collection: &Collection) -> Vec<SkippedFile> {
    let files = collection.skipped.iter().map(|file| SkippedFile {
        source: file.source.to_string(),
        reason: file.reason.to_string(),
        failed: file.reason.is_failure(),
    });
    files.collect()
}

/// Files left out for one reason that are named; an archive can hold any number of other files.
const NAMED: usize = 100;

/// Leaves of the files that did not fail the first [`NAMED`] for each reason, and counts the others.
pub(crate) fn count_the_rest(skipped: &mut Vec<SkippedFile>) -> Vec<SkippedCount> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    skipped.retain(|file| {
        if file.failed {
            return true;
        }
        let count = counts.entry(file.reason.clone()).or_default();
        *count += 1;
        *count <= NAMED
    });
    let more = counts.into_iter().filter(|(_, count)| *count > NAMED);
    more.map(|(reason, count)| SkippedCount { reason, files: count - NAMED }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_named_each_and_other_files_counted_beyond_a_hundred() {
        let file = |index: usize, reason: &str, failed| SkippedFile {
            source: format!("{index:04}"),
            reason: reason.to_owned(),
            failed,
        };
        let mut files: Vec<SkippedFile> = (0..1000)
            .flat_map(|index| [file(index, "no image", false), file(index, "broken", true)])
            .chain((0..100).map(|index| file(index, "a localizer", false)))
            .collect();
        let more = count_the_rest(&mut files);
        assert_eq!(more, [SkippedCount { reason: "no image".to_owned(), files: 900 }]);
        let named = |reason: &str| files.iter().filter(|file| file.reason == reason).count();
        assert_eq!(["no image", "broken", "a localizer"].map(named), [100, 1000, 100]);
        let last = files.iter().rfind(|file| file.reason == "no image");
        assert_eq!(last.unwrap().source, "0099");
    }
}
