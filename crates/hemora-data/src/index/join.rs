//! Label tables joined to the rows of an index.

use std::path::{Path, PathBuf};

use super::examine::stem;
use super::row::{SliceRow, is_file_name};
use crate::labels::{LabelReport, LabelTable};
use crate::table::TableError;

/// What a label table gave an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelJoin {
    /// The table.
    pub path: PathBuf,
    /// What it had beside usable labels: duplicates, conflicts, missing rows.
    pub report: LabelReport,
    /// Images that got their labels from it.
    pub used: usize,
    /// Ids of its labels for which there is no image.
    pub without_image: Vec<String>,
}

/// Label tables and which of their images were found.
pub(super) struct Labels(Vec<Joined>);

struct Joined {
    path: PathBuf,
    table: LabelTable,
    found: Vec<bool>,
    used: usize,
}

impl Labels {
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, TableError> {
        let read = |path: &PathBuf| {
            let table = LabelTable::read(path)?;
            Ok(Joined { path: path.clone(), found: vec![false; table.len()], table, used: 0 })
        };
        paths.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Gives a row its labels, by its SOPInstanceUID or the name of its file; in the latter case
    /// the row takes that name as its id. A frame has those of its own id alone: what a table says
    /// of its object is not true of every frame.
    pub(super) fn join(&mut self, row: &mut SliceRow) {
        row.labels = None;
        let name = row.entry_name.as_deref().unwrap_or(&row.path).to_owned();
        let stem = stem(Path::new(&name));
        let names = match row.frame {
            Some(number) => [Some(row.id.clone()), Some(format!("{stem}-frame{number}"))],
            None => [row.sop_instance_uid.clone(), Some(stem.to_owned())],
        };
        for joined in &mut self.0 {
            let found =
                names.iter().flatten().find_map(|id| Some((id, joined.table.position(id)?)));
            let Some((id, place)) = found else { continue };
            joined.found[place] = true;
            if row.labels.is_none() {
                joined.used += 1;
                row.labels = joined.table.get(id);
                if is_file_name(id) {
                    row.id.clone_from(id);
                }
            }
        }
    }

    pub(super) fn finish(self) -> Vec<LabelJoin> {
        let finish = |joined: Joined| {
            let ids = joined.table.iter().zip(&joined.found);
            let absent = ids.filter(|(_, found)| !**found).map(|((id, _), _)| id.to_owned());
            LabelJoin {
                without_image: absent.collect(),
                report: joined.table.report().clone(),
                path: joined.path,
                used: joined.used,
            }
        };
        self.0.into_iter().map(finish).collect()
    }
}
