//! Where the images and labels of a data set are.

use std::fs;
use std::path::{Path, PathBuf};

use hemora_data::LabelTable;

use crate::recipe::RecipeError;
use crate::recipe::error::in_path;

/// The competition's names of the stages, the larger first.
const STAGES: [&str; 2] = ["stage_2", "stage_1"];
/// How deep folders are counted.
const MAX_DEPTH: usize = 16;

/// A data set: images with labels, and those without that a submission is wanted of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Folder of the labelled images.
    pub images: PathBuf,
    /// Their label table.
    pub labels: PathBuf,
    /// Folder of the test images.
    pub test: Option<PathBuf>,
}

impl Dataset {
    /// Looks for the competition's layout in `folder`: `stage_2_train/`, `stage_2_train.csv` and,
    /// where there is one, `stage_2_test/`. With `labels` the folder itself has the images. `test`
    /// names other test images.
    ///
    /// # Errors
    /// [`RecipeError::Dataset`] names what is not there.
    pub fn find(
        folder: &Path,
        labels: Option<&Path>,
        test: Option<&Path>,
    ) -> Result<Self, RecipeError> {
        let missing = |missing: String| RecipeError::Dataset { folder: folder.to_owned(), missing };
        let whole = |path: &Path| fs::canonicalize(path).map_err(in_path(path));
        let folder_of = |name: String| Some(folder.join(name)).filter(|path| path.is_dir());
        let test = match test {
            Some(test) => Some(whole(test)?),
            None => STAGES.iter().find_map(|stage| folder_of(format!("{stage}_test"))),
        };
        if let Some(labels) = labels {
            return Ok(Self { images: whole(folder)?, labels: whole(labels)?, test });
        }
        let images = STAGES.iter().find_map(|stage| folder_of(format!("{stage}_train")));
        let images = images.ok_or_else(|| missing("no folder of training images".to_owned()))?;
        let labels = images.with_extension("csv");
        if !labels.is_file() {
            return Err(missing(format!("no {}", labels.display())));
        }
        let (images, labels) = (whole(&images)?, whole(&labels)?);
        Ok(Self { images, labels, test: test.map(|test| whole(&test)).transpose()? })
    }

    /// Number of labelled slices.
    ///
    /// # Errors
    /// [`RecipeError::Table`] if the table cannot be read.
    pub fn slices(&self) -> Result<usize, RecipeError> {
        Ok(LabelTable::read(&self.labels)?.len())
    }

    /// Some of the labelled images' files.
    pub fn some_files(&self, most: usize) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.images, 0, most, &mut files);
        files
    }
}

fn walk(folder: &Path, depth: usize, most: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if files.len() >= most {
            return;
        }
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => walk(&path, depth + 1, most, files),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_competitions_layout_is_found_and_what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let find = |labels: Option<&Path>| Dataset::find(folder.path(), labels, None);
        assert!(find(None).unwrap_err().to_string().contains("training images"));
        fs::create_dir(folder.path().join("stage_2_train")).unwrap();
        assert!(find(None).unwrap_err().to_string().contains("stage_2_train.csv"));
        let labels = folder.path().join("stage_2_train.csv");
        fs::write(&labels, "ID,Label\n").unwrap();
        let found = find(None).unwrap();
        assert!(found.images.ends_with("stage_2_train") && found.test.is_none());
        fs::create_dir(folder.path().join("stage_2_test")).unwrap();
        assert!(find(None).unwrap().test.unwrap().ends_with("stage_2_test"));
        let own = find(Some(&labels)).unwrap();
        assert_eq!(own.images, fs::canonicalize(folder.path()).unwrap());
        fs::write(folder.path().join("stage_2_train/a.dcm"), "").unwrap();
        assert_eq!(found.some_files(5).len(), 1);
    }
}
