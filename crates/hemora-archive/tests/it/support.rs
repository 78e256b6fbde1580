//! An archive of phantoms with its index, and the tables that come of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hemora_archive::{ArchiveError, MergedManifest, ShareOutcome, ShareTriage, merge};
use hemora_base::WorkShard;
use hemora_data::{Table, build_index, open_table};
use hemora_infer::{EngineKind, LoadedModel, Pictures, SeriesPolicy};
use hemora_io::{NewVolume, PixelStorage, write_volume};
use hemora_objects::Place;
use hemora_synth::{HeadPhantom, PhantomOptions, StudyIds, write_study};
use hemora_testing::Phantoms;
use hemora_testing::dense::dense_bundle;

/// Studies that are pictured.
pub const PICTURED: usize = 5;

/// An archive: phantoms in one folder, a study with a second series, a volume, and files that cannot be used.
pub struct Archive {
    folder: tempfile::TempDir,
    pub model: LoadedModel,
}

impl Archive {
    pub fn new(patients: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let images = Phantoms::write(&path("data"), 5, patients, 64).images;
        let options = PhantomOptions { slice_spacing: 20.0, ..PhantomOptions::default() };
        let study = HeadPhantom::new(3, options.with_size(64)).unwrap().render();
        let ids = StudyIds::from_seed(3, study.slices.len());
        let storage = PixelStorage::Signed16 { intercept: 0 };
        write_study(&images.join("first"), &study, &ids, storage).unwrap();
        // The same levels again, without the uppermost slices: this series is passed over.
        let mut second = study.clone();
        second.slices.truncate(study.slices.len() - 2);
        let repeat = StudyIds::from_seed(4, second.slices.len());
        let repeat = StudyIds {
            patient_id: ids.patient_id.clone(),
            study_instance_uid: ids.study_instance_uid.clone(),
            ..repeat
        };
        write_study(&images.join("second"), &second, &repeat, storage).unwrap();
        let voxels = (0..32 * 32 * 6).map(|voxel| (voxel % 80) as u8).collect();
        let patient_from_voxel =
            [[5.0, 0.0, 0.0, 0.0], [0.0, 5.0, 0.0, 0.0], [0.0, 0.0, 10.0, 0.0]];
        let volume = NewVolume { size: [32, 32, 6], voxels, slope: 1.0, patient_from_voxel };
        write_volume(&images.join("head.nii.gz"), &volume).unwrap();
        fs::write(images.join("torn.dcm"), "no image").unwrap();
        let model =
            LoadedModel::load(EngineKind::Tract, dense_bundle(&path("dense.hemora"), 0.3), None);
        let archive = Self { model: model.unwrap(), folder };
        archive.index();
        archive
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the images are.
    pub fn images(&self) -> PathBuf {
        self.path("data/stage_2_train")
    }

    /// Makes the index, or brings it up to date.
    pub fn index(&self) {
        build_index(&[self.images()], &[], &self.path("set.parquet"), &|_, _| {}).unwrap();
    }

    /// A share of the archive that writes to the folder `out`.
    pub fn share(&self, shard: &str, out: &str) -> ShareTriage<'_> {
        ShareTriage {
            model: &self.model,
            index: self.path("set.parquet"),
            shard: shard.parse().unwrap(),
            out: Place::folder(self.path(out)),
            policy: SeriesPolicy::Chosen,
            pictures: Pictures { studies: PICTURED, slices: 2 },
        }
    }

    /// All shares, one after the other.
    pub fn shares(&self, of: u32, out: &str) -> Vec<ShareOutcome> {
        let shard = |number| WorkShard::new(number, of).unwrap().to_string();
        (1..=of).map(|number| run(&self.share(&shard(number), out)).unwrap()).collect()
    }

    pub fn merge(&self, shares: &str, out: &str) -> Result<MergedManifest, ArchiveError> {
        let [shares, out] = [shares, out].map(|name| Place::folder(self.path(name)));
        merge(&[shares], &out, &|_, _| {})
    }
}

pub fn run(share: &ShareTriage<'_>) -> Result<ShareOutcome, ArchiveError> {
    share.run(&|_, _| {})
}

/// The rows of a Parquet table, each with its fields as text by the names of the columns.
pub fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let table = Table::open(open_table(path).unwrap()).unwrap();
    let names = table.header().to_vec();
    let mut rows = Vec::new();
    table
        .for_each(|_, fields| {
            let fields = fields.iter().map(|field| (*field).to_owned());
            rows.push(names.iter().cloned().zip(fields).collect());
            Ok(())
        })
        .unwrap();
    rows
}
