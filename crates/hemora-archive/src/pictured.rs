//! The studies that a page shows, each with its result and its drawn slices: a line of JSON each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use hemora_ct::Probabilities;
use hemora_model::StudyResult;
use hemora_report::SlicePicture;
use serde::{Deserialize, Serialize};

use crate::ArchiveError;
use crate::rank::Rank;

/// Most bytes of a line: a study of ten thousand slices and a hundred pictures stay far below.
const LONGEST: u64 = 256 << 20;

/// A study with what a page shows of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pictured {
    pub(crate) study: StudyResult,
    pub(crate) pictures: Vec<SlicePicture>,
}

impl Pictured {
    /// As a line, without the line feed.
    pub(crate) fn to_line(&self) -> String {
        serde_json::to_string(self).expect("results and pictures are documents")
    }

    /// Reads a line of a file.
    pub(crate) fn from_line(line: &str, file: &str) -> Result<Self, ArchiveError> {
        serde_json::from_str(line).map_err(|error| ArchiveError::document(file, error))
    }
}

/// The rank of a line's study; nothing else of it is read.
fn rank_of(line: &str, file: &str) -> Result<Rank, ArchiveError> {
    #[derive(Deserialize)]
    struct Line {
        study: Study,
    }
    #[derive(Deserialize)]
    struct Study {
        study_instance_uid: String,
        patient_id: String,
        probabilities: Probabilities,
    }
    let line: Line =
        serde_json::from_str(line).map_err(|error| ArchiveError::document(file, error))?;
    let Study { study_instance_uid, patient_id, probabilities } = line.study;
    Ok(Rank { any: probabilities.any, study: study_instance_uid, patient: patient_id })
}

/// The lines of the most suspicious studies, by rank.
#[derive(Debug)]
pub(crate) struct PicturedLines {
    most: usize,
    lines: BTreeMap<Rank, String>,
}

impl PicturedLines {
    /// Keeps at most `most` studies.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, lines: BTreeMap::new() }
    }

    /// Takes the lines of a file in.
    pub(crate) fn add(&mut self, path: &Path) -> Result<(), ArchiveError> {
        let name = path.display().to_string();
        let failed = |error| ArchiveError::io(&name, error);
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        loop {
            let mut line = String::new();
            let read = file.by_ref().take(LONGEST).read_line(&mut line).map_err(failed)?;
            if read == 0 {
                return Ok(());
            }
            if line.pop() != Some('\n') {
                let reason =
                    format!("a line that does not end within {LONGEST} bytes, or is cut off");
                return Err(ArchiveError::document(&name, reason));
            }
            self.lines.insert(rank_of(&line, &name)?, line);
            if self.lines.len() > self.most {
                self.lines.pop_last();
            }
        }
    }

    /// The lines, the most suspicious study first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lines.values().map(String::as_str)
    }

    /// Writes them.
    pub(crate) fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        self.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(any: f32, uid: &str) -> String {
        let study = StudyResult {
            study_instance_uid: uid.to_owned(),
            patient_id: "A\nB".to_owned(),
            probabilities: Probabilities { any, ..Probabilities::default() },
            flags: Vec::new(),
            certainty: Vec::new(),
            series: Vec::new(),
            warnings: Vec::new(),
        };
        Pictured { study, pictures: Vec::new() }.to_line()
    }

    #[test]
    fn the_most_suspicious_lines_of_several_files_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = PicturedLines::new(2);
        for (name, lines) in
            [("a", [line(0.2, "1"), line(0.9, "2")]), ("b", [line(0.5, "4"), line(0.5, "3")])]
        {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("{}\n{}\n", lines[0], lines[1])).unwrap();
            kept.add(&path).unwrap();
        }
        assert!(kept.iter().eq([line(0.9, "2").as_str(), &line(0.5, "3")]));
        let cut = folder.path().join("cut");
        std::fs::write(&cut, line(0.3, "5")).unwrap();
        assert!(kept.add(&cut).unwrap_err().to_string().contains("cut off"));
    }
}
