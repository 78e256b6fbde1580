//! Memory that does not suffice: how libtorch reports it, and what to try.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::optim::OptimPlan;

/// Work that takes memory by its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// A network of slices is trained.
    Training {
        /// Images of a batch.
        batch: usize,
        /// Batches that make up a step.
        accumulate: usize,
    },
    /// A network of slices predicts.
    Predicting {
        /// Images of a batch.
        batch: usize,
    },
    /// A network of series is trained.
    Series {
        /// Windows of a batch.
        batch: usize,
    },
}

impl From<&OptimPlan> for Demand {
    fn from(plan: &OptimPlan) -> Self {
        Self::Training { batch: plan.batch, accumulate: plan.accumulate }
    }
}

impl Demand {
    /// What does not fit.
    fn what(&self) -> String {
        match self {
            Self::Training { batch, .. } | Self::Predicting { batch } => {
                format!("a batch of {batch} images")
            }
            Self::Series { batch } => format!("a batch of {batch} series"),
        }
    }

    /// What to try, by flags that its command has.
    fn advice(&self) -> String {
        match *self {
            Self::Training { batch: 0 | 1, .. } => {
                "one image is too much: use a smaller --size".to_owned()
            }
            Self::Training { batch, accumulate } => format!(
                "try --batch {} --accumulate {}, whose steps see as many images, or a smaller --size",
                batch / 2,
                accumulate * 2
            ),
            Self::Predicting { batch: 0 | 1 } => {
                "one image is too much: free memory, or predict on a larger machine".to_owned()
            }
            Self::Predicting { batch } => format!("try --batch {}", batch / 2),
            Self::Series { batch: 0 | 1 } => {
                "one series is too much: use a smaller --window, --hidden or --layers".to_owned()
            }
            Self::Series { batch } => {
                format!("try --batch {}, or a smaller --window, --hidden or --layers", batch / 2)
            }
        }
    }
}

/// Work that does not fit into memory.
#[derive(Debug, thiserror::Error)]
#[error("{} does not fit into memory: {reason}; {}", demand.what(), demand.advice())]
pub struct OutOfMemory {
    /// The work.
    pub demand: Demand,
    /// What libtorch reported.
    pub reason: String,
}

/// What `work` gives; a panic of libtorch for want of memory becomes [`OutOfMemory`].
///
/// # Errors
/// [`OutOfMemory`], and the errors of `work`.
pub fn catching<T, E: From<OutOfMemory>>(
    demand: Demand,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| match complaint(&*panic) {
        Some(reason) => Err(OutOfMemory { demand, reason }.into()),
        None => resume_unwind(panic),
    })
}

/// Keeps a panic that [`catching`] answers from being printed too.
pub fn quiet_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if complaint(info.payload()).is_none() {
            print(info);
        }
    }));
}

/// The line in which libtorch complains of memory, if that is what the panic is about.
fn complaint(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())?;
    // CUDA, the CPU's allocator, oneDNN, and C++ itself.
    const WORDS: [&str; 5] = [
        "out of memory",
        "can't allocate memory",
        "not enough memory",
        "could not create a memory object",
        "std::bad_alloc",
    ];
    // tch prints the error with its line breaks escaped.
    let lines = text.split("\\n").flat_map(str::lines);
    let line = lines.into_iter().find(|line| WORDS.iter().any(|word| line.contains(word)))?;
    // What stands before is where in libtorch's source it happened.
    let word = WORDS.iter().filter_map(|word| line.find(word)).min()?;
    let start = line[..word].rfind(['"', ']', '.']).map_or(0, |at| at + 1);
    Some(line[start..].trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::TrainError;
    use super::*;

    const CPU: &str = "called `Result::unwrap()` on an `Err` value: Torch(\"[enforce fail at \
        alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to \
        allocate 1000 bytes. Error code 12 (Cannot allocate memory)\\nframe #0\")";
    const CUDA: &str = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA out of memory. \
        Tried to allocate 2.00 GiB\\nException raised\")";

    #[test]
    fn half_the_batch_is_what_to_try() {
        for text in [CPU, CUDA] {
            let training = Demand::Training { batch: 32, accumulate: 1 };
            let error =
                catching::<(), TrainError>(training, || std::panic::panic_any(text.to_owned()));
            let error = error.unwrap_err();
            assert_eq!(error.exit_status(), hemora_base::ExitStatus::OutOfMemory);
            let TrainError::OutOfMemory(memory) = error else { panic!("{error}") };
            assert!(memory.to_string().contains("--batch 16 --accumulate 2"), "{memory}");
            assert!(memory.reason.starts_with(['C', 'D']), "{}", memory.reason);
            assert!(!memory.reason.contains("frame") && !memory.reason.contains("Exception"));
        }
        assert!(Demand::Training { batch: 1, accumulate: 1 }.advice().contains("--size"));
        // Of commands without --accumulate and --size no such flag is asked for.
        for batch in [1, 32] {
            for demand in [Demand::Predicting { batch }, Demand::Series { batch }] {
                let advice = demand.advice();
                assert!(!advice.contains("--accumulate") && !advice.contains("--size"), "{advice}");
                assert_eq!(advice.contains("--batch 16"), batch == 32, "{advice}");
            }
        }
    }

    #[test]
    fn other_panics_go_on() {
        let demand = Demand::Predicting { batch: 32 };
        let caught =
            catch_unwind(|| catching::<(), TrainError>(demand, || panic!("index out of range")));
        assert!(caught.is_err());
    }
}
