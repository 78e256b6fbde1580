//! What would make triage faster, or lets it fail, in plain words.

use serde::Serialize;

use super::engines::{EngineCheck, gain};
use super::machine::Machine;
use crate::{Finding, LibrarySearch};

/// Less free memory than this is tight for a study and its pictures.
const LITTLE_MEMORY: u64 = 2 << 30;
/// Less free disk than this is tight for the reports of a day.
const LITTLE_DISK: u64 = 1 << 30;
/// An engine that has less than this of the built-in one's speed is slower, and not by chance.
const SLOWER: f64 = 0.9;
/// Engines that differ by more than this in a probability do not agree.
const AGREEMENT: f32 = 1e-4;

/// One thing to do or to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What, and why.
    pub text: String,
    /// The command that does it.
    pub command: Option<&'static str>,
}

/// Advice for a machine with these engines, the most useful first.
pub(super) fn give(
    machine: &Machine,
    engines: &[EngineCheck; 2],
    search: &LibrarySearch,
) -> Vec<Advice> {
    let mut advice = Vec::new();
    let mut say = |text: String, command| advice.push(Advice { text, command });
    let [tract, runtime] = engines;
    if let Some(reason) = &tract.reason {
        say(format!("the built-in engine does not run the model: {reason}"), None);
    }
    if search.off {
        let text =
            "HEMORA_ONNXRUNTIME is off: unset it, and ONNX Runtime is used where it is found";
        say(text.to_owned(), Some("unset HEMORA_ONNXRUNTIME"));
    } else if !runtime.works {
        let text = match search.passed_over() {
            none if none.is_empty() => {
                "ONNX Runtime is not there; it runs large networks, such as \
                 ResNet50, up to twice as fast as the built-in engine, and small ones, such as the \
                 built-in model, as fast"
                    .to_owned()
            }
            passed_over => format!("ONNX Runtime is there and is not used: {passed_over}"),
        };
        say(text, Some("pip install onnxruntime"));
    }
    if gain(engines).is_some_and(|gain| gain < SLOWER) {
        let text = "the built-in engine is the faster one here: choose it";
        say(text.to_owned(), Some("hemora triage --engine tract …"));
    }
    if let Some(difference) = runtime.difference.filter(|it| *it > AGREEMENT) {
        let text =
            format!("the engines differ by {difference} in a probability: use the built-in one");
        say(text, Some("export HEMORA_ONNXRUNTIME=off"));
    }
    for place in &search.places {
        if let (Finding::Untrusted(_), Some(path)) = (&place.finding, &place.path)
            && runtime.works
        {
            say(format!("{} was found and is {}", path.display(), place.finding), None);
        }
    }
    if machine.missing_instructions.iter().any(|name| ["avx2", "fma"].contains(name)) {
        let text = "the processor has no AVX2 and FMA: networks take several times as long here";
        say(text.to_owned(), None);
    }
    if machine.memory.is_some_and(|memory| memory.available < LITTLE_MEMORY) {
        say("less than 2 GiB of memory are free: close other programs".to_owned(), None);
    }
    for disk in machine.disks.iter().filter(|disk| disk.free < LITTLE_DISK) {
        say(format!("less than 1 GiB is free at {}", disk.folder.display()), None);
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkup::machine::{Disk, Memory};

    fn machine() -> Machine {
        Machine {
            system: "linux x86_64".to_owned(),
            processor: None,
            cores: 2,
            instructions: vec!["avx2", "fma"],
            missing_instructions: vec!["avx512f"],
            memory: Some(Memory { total: 8 << 30, available: 8 << 30 }),
            disks: vec![Disk { folder: "/tmp".into(), free: 8 << 30 }],
            gpus: Vec::new(),
        }
    }

    fn engine(name: &'static str, rate: Option<f64>) -> EngineCheck {
        EngineCheck {
            name,
            works: rate.is_some(),
            reason: None,
            library: None,
            library_version: None,
            images_per_s: rate,
            difference: rate.map(|_| 1e-6),
        }
    }

    fn nowhere(off: bool) -> LibrarySearch {
        LibrarySearch { off, places: Vec::new() }
    }

    #[test]
    fn a_machine_that_has_all_needs_nothing() {
        let engines = [engine("tract", Some(40.0)), engine("onnxruntime", Some(120.0))];
        assert_eq!(give(&machine(), &engines, &nowhere(false)), []);
    }

    #[test]
    fn the_faster_engine_comes_with_its_command() {
        let engines = [engine("tract", Some(40.0)), engine("onnxruntime", None)];
        let advice = give(&machine(), &engines, &nowhere(false));
        assert_eq!(advice[0].command, Some("pip install onnxruntime"));
        let advice = give(&machine(), &engines, &nowhere(true));
        assert_eq!(advice[0].command, Some("unset HEMORA_ONNXRUNTIME"));
        let engines = [engine("tract", Some(40.0)), engine("onnxruntime", Some(20.0))];
        let advice = give(&machine(), &engines, &nowhere(false));
        assert!(advice[0].command.unwrap().contains("--engine tract"), "{advice:?}");
        let engines = [engine("tract", Some(40.0)), engine("onnxruntime", Some(38.0))];
        assert_eq!(give(&machine(), &engines, &nowhere(false)), []);
    }

    #[test]
    fn what_is_short_is_named() {
        let mut machine = machine();
        machine.missing_instructions.push("fma");
        machine.memory = Some(Memory { total: 1 << 30, available: 1 << 30 });
        machine.disks[0].free = 1000;
        let mut engines = [engine("tract", Some(40.0)), engine("onnxruntime", Some(120.0))];
        engines[1].difference = Some(0.01);
        let advice = give(&machine, &engines, &nowhere(false));
        let text: Vec<_> = advice.into_iter().map(|advice| advice.text).collect();
        assert_eq!(text.len(), 4, "{text:?}");
        for (text, word) in text.iter().zip(["differ by 0.01", "AVX2", "memory", "/tmp"]) {
            assert!(text.contains(word), "{text}");
        }
    }
}
