//! `hemora prepare --shard`, by the program.

use std::path::Path;
use std::process::Command;

use hemora_testing::content;

use super::{data_set, index, text};

fn prepare(index: &Path, out: &Path, share: Option<&str>) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    command.arg("prepare").arg(index).arg("--out").arg(out).args(["--recipe", "howard"]);
    command.args(share.map(|share| format!("--shard={share}")));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    text(&output)
}

#[test]
fn shares_of_a_set_are_finished_by_a_run_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = data_set(folder.path());
    let set = folder.path().join("set.parquet");
    index(&images, &labels, &set);
    let (whole, shares) = (folder.path().join("whole"), folder.path().join("shares"));
    prepare(&set, &whole, None);
    for share in ["1/2", "2/2"] {
        let printed = prepare(&set, &shares, Some(share));
        assert!(printed.contains(&format!("share {share}: ")), "{printed}");
        assert!(printed.contains("without --shard"), "{printed}");
        assert!(!shares.join("labels.csv").exists());
    }
    prepare(&set, &shares, None);
    assert!(content(&shares) == content(&whole));
}
