//! Indexed phantoms and what is prepared of them.

use std::ops::ControlFlow;
use std::path::PathBuf;

use hemora_data::{PrepareError, PrepareRecipe, PrepareReport, Selection, build_index, prepare};
use hemora_testing::Phantoms;

/// Five phantom patients, indexed with their labels.
pub struct Set {
    pub folder: tempfile::TempDir,
}

impl Set {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = Phantoms::write(&folder.path().join("data"), 11, 5, 64);
        let index = folder.path().join("set.parquet");
        build_index(&[data.images], &[data.labels], &index, &|_, _| {}).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn prepare(
        &self,
        out: &str,
        recipe: &PrepareRecipe,
        selection: &Selection,
    ) -> PrepareReport {
        self.try_prepare(out, recipe, selection, &|_, _| ControlFlow::Continue(())).unwrap()
    }

    pub fn try_prepare(
        &self,
        out: &str,
        recipe: &PrepareRecipe,
        selection: &Selection,
        progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
    ) -> Result<PrepareReport, PrepareError> {
        prepare(&self.path("set.parquet"), &self.path(out), recipe, selection, progress)
    }
}

/// A small canvas, as zooming phantoms of 64 pixels to 512 takes most of a test's time.
pub fn small(name: &str) -> PrepareRecipe {
    let recipe = PrepareRecipe::built_in(name).unwrap();
    PrepareRecipe { canvas: Some(96), size: recipe.size.map(|_| 48), ..recipe }
}
