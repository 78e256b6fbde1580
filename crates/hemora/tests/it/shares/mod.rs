//! Jobs in shares under the schedulers that `deploy/` has files for: what they start, and that nothing is lost
//! when it is killed.

mod kubernetes;
mod prepare;
mod slurm;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hemora_synth::{PhantomOptions, write_dataset};

/// A file below `deploy/`.
fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name).canonicalize().unwrap()
}

/// Phantom studies of a data set.
const STUDIES: usize = 6;

/// The folder of images and the label table of a few phantoms, a torn file among them, in `folder`.
fn data_set(folder: &Path) -> (PathBuf, PathBuf) {
    let data = folder.join("data");
    let options = PhantomOptions { slice_spacing: 12.0, ..PhantomOptions::default() };
    write_dataset(&data, 2, STUDIES, &options.with_size(64), &|_, _| {}).unwrap();
    std::fs::write(data.join("stage_2_train/torn.dcm"), "no image").unwrap();
    (data.join("stage_2_train"), data.join("stage_2_train.csv"))
}

/// What `hemora index` makes of the data set in one run, at `out`.
fn index(images: &Path, labels: &Path, out: &Path) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    command.arg("index").arg(images).arg("--labels").arg(labels).arg("--out").arg(out);
    let output = command.output().unwrap();
    // One file cannot be used.
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    std::fs::read(out).unwrap()
}

/// What a program printed.
fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into()
}
