//! A run that was killed and started again ends with the bytes of one that was not.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hemora_nn::Weights;
use hemora_synth::{PhantomOptions, write_dataset};

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
    Command::new(env!("CARGO_BIN_EXE_hemora-train"))
        .arg("run")
        .arg("--images")
        .arg(data.join("stage_2_train"))
        .arg("--labels")
        .arg(data.join("stage_2_train.csv"))
        .arg("--out")
        .arg(out)
        .args(["--size", "32", "--working-size", "32", "--batch", "8", "--seed", "3"])
        .args(["--epochs", &EPOCHS.to_string(), "--threads", "1"])
        .args(["--validation", "0.5"])
        .args(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn epochs(out: &Path) -> usize {
    std::fs::read_to_string(out.join("metrics.jsonl")).map_or(0, |text| text.lines().count())
}

/// The lines of the metrics without what a clock says.
fn metrics(out: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            let fields = line.as_object_mut().unwrap();
            assert!(fields.remove("seconds").is_some());
            assert!(fields.remove("images_per_second").is_some());
            line
        })
        .collect()
}

#[test]
fn killed_and_resumed_equals_never_killed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options = PhantomOptions { slice_spacing: 15.0, ..PhantomOptions::default() };
    let options = options.with_size(32);
    write_dataset(&data, 5, 10, &options, &|_, _| ()).unwrap();

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
    let mut child = start(&killed);
    let begin = Instant::now();
    while epochs(&killed) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(300), "no epoch ended");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!killed.join("model.safetensors").exists(), "it ended before it was killed");
    assert!(start(&killed).wait().unwrap().success());

    assert_eq!(metrics(&killed), metrics(&whole));
    let read = |out: &Path, file: &str| std::fs::read(out.join(file)).unwrap();
    assert!(read(&killed, "validation.csv") == read(&whole, "validation.csv"));
    let scalars = |out: &Path| {
        let values = hemora_train::events::scalars(&out.join("events")).unwrap();
        let steady = |tag: &str| tag != "epoch/images_per_second";
        values.into_iter().filter(|(_, tag, _)| steady(tag)).collect::<Vec<_>>()
    };
    assert_eq!(scalars(&killed), scalars(&whole));
    assert!(!scalars(&whole).is_empty());
    // The header's entries have no order, so the files are compared by what they hold.
    let [one, other] = [&killed, &whole].map(|out| {
        let bytes = read(out, "model.safetensors");
        (Weights::from_safetensors(&bytes).unwrap(), Weights::metadata(&bytes).unwrap())
    });
    assert!(one == other, "the weights or their metadata differ");
}
