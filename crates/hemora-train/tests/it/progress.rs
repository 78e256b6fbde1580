//! What a program reads of a training's progress.

use std::path::Path;
use std::process::Output;

use hemora_base::Event;

use crate::support::{hemora_train, succeed, write_phantoms};

fn train(folder: &Path, more: &[&str]) -> Output {
    let mut program = hemora_train("run", folder, &folder.join("run"));
    let small = ["--network=simple-nn", "--validation=0.4", "--epochs=2", "--progress=json"];
    program.args(small).args(more).output().unwrap()
}

#[test]
fn standard_output_has_events_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    write_phantoms(folder.path());
    let output = train(folder.path(), &["--threads=100000", "--augment=none"]);
    succeed(&output);
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Event> = text.lines().map(|line| Event::from_line(line).unwrap()).collect();
    let Some(Event::Warning { message }) = events.first() else { panic!("{text}") };
    assert!(message.contains("--threads 100000"), "{message}");
    assert!(matches!(&events[1], Event::Device { device } if device.contains("threads")), "{text}");
    assert_eq!(events.last(), Some(&Event::Finished));
    let epochs: Vec<(Option<u64>, u64, u64)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Epoch { fold, epoch, epochs, loss, score } => {
                assert!(loss.is_finite() && score.is_some_and(f64::is_finite), "{text}");
                Some((*fold, *epoch, *epochs))
            }
            _ => None,
        })
        .collect();
    assert_eq!(epochs, [(None, 1, 2), (None, 2, 2)]);
    for wanted in ["images read", "training steps"] {
        let is = |event: &Event| matches!(event, Event::Progress { what, .. } if what == wanted);
        assert!(events.iter().any(is), "no {wanted} in {text}");
    }
    // People read the same on standard error.
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("epoch 2/2: loss") && text.contains("best weights"), "{text}");

    // Of a cross-validation the fold is named.
    let output = train(folder.path(), &["--folds=2", "--fold=2", "--restart", "--threads=1"]);
    succeed(&output);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().any(|line| line.contains("\"fold\":2")), "{text}");
}
