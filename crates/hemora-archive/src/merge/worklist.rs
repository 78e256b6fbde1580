//! `worklist.csv`: the most suspicious studies of an archive.

use hemora_ct::Label;

use crate::store::Store;
use crate::tables::{Row, probabilities_of, rank_of, verdict_and_slices_of};
use crate::{ArchiveError, TableRef};

/// Studies that are listed.
const LISTED: usize = 1000;

/// The first studies by rank.
#[derive(Debug, Default)]
pub(super) struct Worklist(Vec<Row>);

impl Worklist {
    /// Takes the next study by rank in, if it is among the first.
    pub(super) fn add(&mut self, row: &Row) {
        if self.0.len() < LISTED {
            self.0.push(row.clone());
        }
    }

    /// Writes the list: rank, identifiers, a probability for each label, what is said of any hemorrhage, and
    /// the number of slices.
    pub(super) fn write(&self, store: &Store, name: &str) -> Result<TableRef, ArchiveError> {
        let failed = |error: csv::Error| ArchiveError::document(store.name_of(name), error);
        let (_, sha256) = store.build(name, |out| {
            let mut table = csv::Writer::from_writer(out);
            let names = ["rank", "study_instance_uid", "patient_id"];
            let ends = ["verdict_any", "slices"];
            let header = names.into_iter().chain(Label::ALL.map(Label::name)).chain(ends);
            table.write_record(header).map_err(failed)?;
            for (index, row) in self.0.iter().enumerate() {
                let rank = rank_of(row);
                let (verdict, slices) = verdict_and_slices_of(row);
                let mut fields = vec![(index + 1).to_string(), rank.study, rank.patient];
                fields.extend(probabilities_of(row).map(|value| value.to_string()));
                fields.extend([verdict.to_owned(), slices.to_string()]);
                table.write_record(fields).map_err(failed)?;
            }
            table.flush().map_err(|error| failed(error.into()))
        })?;
        Ok(TableRef { file: name.to_owned(), rows: self.0.len() as u64, sha256 })
    }
}
