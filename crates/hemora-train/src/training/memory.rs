//! Memory that does not suffice: how libtorch reports it, and the batch size to try.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A batch that does not fit into memory.
#[derive(Debug, thiserror::Error)]
#[error("a batch of {batch} images does not fit into memory: {reason}; {}", self.advice())]
pub struct OutOfMemory {
    /// Images of the batch.
    pub batch: usize,
    /// Batches that make up a step.
    pub accumulate: usize,
    /// What libtorch reported.
    pub reason: String,
}

impl OutOfMemory {
    fn advice(&self) -> String {
        match self.batch / 2 {
            0 => "one image is too much: use a smaller --size".to_owned(),
            half => format!(
                "try --batch {half} --accumulate {}, whose steps see as many images, or a smaller \
                 --size",
                self.accumulate * 2
            ),
        }
    }
}

/// What `work` gives; a panic of libtorch for want of memory becomes [`OutOfMemory`].
///
/// # Errors
/// [`OutOfMemory`], and the errors of `work`.
pub fn catching<T, E: From<OutOfMemory>>(
    batch: usize,
    accumulate: usize,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| match complaint(&*panic) {
        Some(reason) => Err(OutOfMemory { batch, accumulate, reason }.into()),
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
            let error =
                catching::<(), TrainError>(32, 1, || std::panic::panic_any(text.to_owned()));
            let error = error.unwrap_err();
            assert_eq!(error.exit_status(), hemora_base::ExitStatus::OutOfMemory);
            let TrainError::OutOfMemory(memory) = error else { panic!("{error}") };
            assert!(memory.advice().contains("--batch 16 --accumulate 2"), "{}", memory.advice());
            assert!(memory.reason.starts_with(['C', 'D']), "{}", memory.reason);
            assert!(!memory.reason.contains("frame") && !memory.reason.contains("Exception"));
        }
        let one = OutOfMemory { batch: 1, accumulate: 1, reason: String::new() };
        assert!(one.advice().contains("--size"));
    }

    #[test]
    fn other_panics_go_on() {
        let caught =
            catch_unwind(|| catching::<(), TrainError>(32, 1, || panic!("index out of range")));
        assert!(caught.is_err());
    }
}
