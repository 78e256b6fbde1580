//! A run that was killed and started again ends with the bytes of one that was not.

use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::{
    assert_same, epochs, hemora_train, kill_after_an_epoch, metrics, write_phantoms,
};

const EPOCHS: usize = 3;

/// Settings with state of their own: averages, momenta, schedules, accumulation, waiting.
const SETTINGS: [&[&str]; 2] = [
    &["--ema", "0.9"],
    &[
        "--network=deep-cnn",
        "--optimizer=adadelta-keras",
        "--accumulate=2",
        "--schedule=plateau",
        "--plateau=1",
        "--least-gain=0.9",
        "--patience=3",
        "--sampling=half",
        "--class-weights=balanced",
        "--focal=2",
        "--precision=bf16",
        "--dropout=0.5",
    ],
];

fn start(data: &Path, out: &Path, settings: &[&str]) -> Child {
    hemora_train("run", data, out)
        .args(["--seed=3", "--threads=1", "--validation=0.5", &format!("--epochs={EPOCHS}")])
        .args(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_and_resumed_equals_never_killed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_phantoms(&data);

    for (number, settings) in SETTINGS.iter().enumerate() {
        compare(&data, &folder.path().join(number.to_string()), settings);
    }
}

fn compare(data: &Path, folder: &Path, settings: &[&str]) {
    let start = |out: &Path| start(data, out, settings);
    let whole = folder.join("whole");
    assert!(start(&whole).wait().unwrap().success());
    assert_eq!(epochs(&whole), EPOCHS);
    assert!(metrics(&whole)[0]["mean_auroc"].is_number(), "nothing was ranked");

    let killed = folder.join("killed");
    kill_after_an_epoch(start(&killed), &killed);
    assert!(start(&killed).wait().unwrap().success());

    assert_same(&killed, &whole);
    let scalars = |out: &Path| {
        let values = hemora_train::output::tensorboard::scalars(&out.join("events")).unwrap();
        let steady = |tag: &str| tag != "epoch/images_per_second";
        values.into_iter().filter(|(_, tag, _)| steady(tag)).collect::<Vec<_>>()
    };
    assert_eq!(scalars(&killed), scalars(&whole));
    assert!(!scalars(&whole).is_empty());
}
