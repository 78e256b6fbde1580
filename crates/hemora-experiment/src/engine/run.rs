//! Runs the steps that are not complete, in order.

use std::time::Instant;

use hemora_base::{Event, ExitStatus};

use super::pace::Pace;
use super::programs::last_lines;
use super::{Action, EngineError, Programs, Record, Step, write_text};

/// What happens to a step.
#[derive(Debug)]
pub enum StepEvent<'a> {
    /// It begins: its number from 1, of how many.
    Begins {
        /// From 1.
        number: usize,
        /// Steps in all.
        total: usize,
        /// The step.
        step: &'a Step,
    },
    /// An earlier run completed it.
    Complete {
        /// From 1.
        number: usize,
        /// Steps in all.
        total: usize,
        /// The step.
        step: &'a Step,
        /// Its record.
        record: &'a Record,
    },
    /// Its program reports progress.
    Progress {
        /// From 1.
        number: usize,
        /// The step.
        step: &'a Step,
        /// What the program reports.
        event: &'a Event,
    },
    /// It ended.
    Ended(Ended<'a>),
}

/// A step that ended.
#[derive(Debug)]
pub struct Ended<'a> {
    /// From 1.
    pub number: usize,
    /// The step.
    pub step: &'a Step,
    /// Its record, or why there is none.
    pub outcome: Result<Record, EngineError>,
    /// Seconds that the rest will take at the pace so far, where the work is known.
    pub seconds_left: Option<f64>,
}

impl Step {
    /// Does it, and records that it is complete; until then it has no record.
    ///
    /// # Errors
    /// [`EngineError`] if its program cannot be started, fails, runs out of memory, or does not write
    /// what it should.
    pub(crate) fn run(
        &self,
        programs: &Programs,
        on_progress: &mut dyn FnMut(&Event),
    ) -> Result<Record, EngineError> {
        let begin = Instant::now();
        Record::remove(self)?;
        for (path, content) in &self.files {
            write_text(path, content.as_bytes())?;
        }
        let mut device = None;
        match &self.action {
            Action::Convert(conversion) => {
                (conversion.convert)(&conversion.from, &conversion.to)
                    .map_err(|source| EngineError::Convert { step: self.name.clone(), source })?
            }
            Action::Call(call) => {
                let log = self.log.as_deref();
                let status = programs.run(call, log, &mut |event| {
                    if let Event::Device { device: name } = event {
                        device = Some(name.clone());
                    }
                    on_progress(event);
                })?;
                let (step, last_lines) = (self.name.clone(), || last_lines(log));
                match status.code().and_then(ExitStatus::from_code) {
                    Some(code) if code.has_outputs() => {}
                    Some(ExitStatus::OutOfMemory) => {
                        let (advice, last_lines) = (call.command.memory_advice(), last_lines());
                        return Err(EngineError::OutOfMemory { step, advice, last_lines });
                    }
                    _ => {
                        return Err(EngineError::Failed { step, status, last_lines: last_lines() });
                    }
                }
            }
        }
        if let Some(path) = self.outputs.iter().find(|path| !path.exists()) {
            return Err(EngineError::Absent { step: self.name.clone(), path: path.clone() });
        }
        let seconds = begin.elapsed().as_secs_f64();
        let record = Record { key: self.key(), command: self.command(), seconds, device };
        record.write(self)?;
        Ok(record)
    }
}

/// Does every step that is not complete, in order, and tells `on_event` of each. An error that
/// `on_event` returns ends the run; it alone decides whether a step that failed does. With `restart`
/// no earlier record counts, also where this run is cut short: all are removed before the first step.
///
/// # Errors
/// What `on_event` returns, or [`EngineError`] if a record cannot be read or removed, or is of other
/// settings.
pub fn run_steps<E: From<EngineError>>(
    steps: &[Step],
    programs: &Programs,
    restart: bool,
    on_event: &mut dyn FnMut(StepEvent<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let total = steps.len();
    let mut left: f64 = steps.iter().map(|step| step.work).sum();
    let mut pace = Pace::default();
    if restart {
        steps.iter().try_for_each(Record::remove)?;
    }
    for (index, step) in steps.iter().enumerate() {
        let number = index + 1;
        left -= step.work;
        if let Some(record) = &Record::find(step)? {
            on_event(StepEvent::Complete { number, total, step, record })?;
            continue;
        }
        on_event(StepEvent::Begins { number, total, step })?;
        let begin = Instant::now();
        // What goes wrong with an event of progress is returned after the program ended.
        let mut refused = Ok(());
        let outcome = step.run(programs, &mut |event| {
            if refused.is_ok() {
                refused = on_event(StepEvent::Progress { number, step, event });
            }
        });
        refused?;
        pace.add(step.work, begin.elapsed().as_secs_f64());
        let seconds_left = pace.seconds_for(left);
        on_event(StepEvent::Ended(Ended { number, step, outcome, seconds_left }))?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;
    use crate::engine::{Call, Command, Convert, ConvertError, chain};

    /// One test at a time writes a script and starts it: a program that another thread is just
    /// starting has the script open as well, and the system then refuses to run it.
    fn alone() -> MutexGuard<'static, ()> {
        static ONE: Mutex<()> = Mutex::new(());
        ONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Programs that are both a shell script with this body.
    fn programs(folder: &Path, body: &str) -> Programs {
        let script = folder.join("program.sh");
        fs::write(&script, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Programs { hemora: script.clone(), train: script, threads: Some(1) }
    }

    /// A training whose program gets `out` as the first of its own arguments.
    fn training(folder: &Path, setting: &str) -> Step {
        let out = folder.join("out");
        let call = Call {
            command: Command::TrainRun,
            settings: vec![setting.into()],
            paths: vec![out.clone().into()],
        };
        let step = Step::new(&folder.join("steps"), "train", "trains", Action::Call(call));
        Step { log: Some(folder.join("train.log")), ..step.writes([out]) }
            .with_file(folder.join("note"), "a note".to_owned())
    }

    fn run(step: &Step, programs: &Programs) -> (Result<Record, EngineError>, Vec<Event>) {
        let mut events = Vec::new();
        let outcome = step.run(programs, &mut |event| events.push(event.clone()));
        (outcome, events)
    }

    #[test]
    fn progress_is_read_from_events_and_other_lines_are_passed_over() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let body = "echo '{\"event\":\"device\",\"device\":\"toy\"}'; echo epoch 1 of 2
            echo '{\"event\":\"of-tomorrow\"}'; echo '{\"event\":\"finished\"}'; touch \"$3\"
            echo device: none >&2";
        let programs = programs(folder.path(), body);
        let step = training(folder.path(), "--seed=1");
        let (record, events) = run(&step, &programs);
        let record = record.unwrap();
        assert_eq!(record.device.as_deref(), Some("toy"));
        let device = Event::Device { device: "toy".to_owned() };
        assert_eq!(events, [device, Event::Unknown, Event::Finished]);
        let log = fs::read_to_string(folder.path().join("train.log")).unwrap();
        assert_eq!(log, "device: none\n", "only what is for people is in the log");
        assert_eq!(Record::find(&step).unwrap(), Some(record));
    }

    #[test]
    fn a_step_is_complete_with_its_record_and_its_outputs_alone() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let (path, step) = (folder.path(), training(folder.path(), "--seed=1"));
        assert_eq!(Record::find(&step).unwrap(), None);
        let (absent, _) = run(&step, &programs(path, "exit 0"));
        let absent = absent.unwrap_err();
        assert!(matches!(absent, EngineError::Absent { .. }), "{absent}");
        assert!(absent.to_string().contains("out"), "{absent}");
        assert_eq!(fs::read_to_string(path.join("note")).unwrap(), "a note");
        run(&step, &programs(path, "touch \"$3\"")).0.unwrap();
        assert!(Record::find(&step).unwrap().is_some());
        // Other arguments, other files and another step before are other settings; other paths are not.
        let others: [fn(&mut Step); 3] = [
            |step| step.files[0].1.push('!'),
            |step| step.needs.push("before".to_owned()),
            |step| match &mut step.action {
                Action::Call(call) => call.settings.push("--seed=2".into()),
                Action::Convert(_) => unreachable!("a program trains"),
            },
        ];
        for change in others {
            let mut other = step.clone();
            change(&mut other);
            assert_ne!(other.key(), step.key());
            let refused = Record::find(&other).unwrap_err();
            assert!(matches!(refused, EngineError::OtherSettings { .. }), "{refused}");
        }
        let mut moved = step.clone();
        let Action::Call(call) = &mut moved.action else { panic!("{moved:?}") };
        call.paths.push("--restart".into());
        assert_eq!(moved.key(), step.key());
        fs::remove_file(path.join("out")).unwrap();
        assert_eq!(Record::find(&step).unwrap(), None);
    }

    #[test]
    fn exit_statuses_are_told_apart() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let (path, step) = (folder.path(), training(folder.path(), "--seed=1"));
        let (failed, _) = run(&step, &programs(path, "echo no such file >&2; exit 1"));
        let Err(EngineError::Failed { last_lines, .. }) = &failed else { panic!("{failed:?}") };
        assert_eq!(last_lines, "no such file");
        // Some inputs failed: only where the outputs are there, the step is complete.
        let (absent, _) = run(&step, &programs(path, "exit 3"));
        assert!(matches!(absent, Err(EngineError::Absent { .. })), "{absent:?}");
        run(&step, &programs(path, "touch \"$3\"; exit 3")).0.unwrap();
        // Out of memory: the outputs of an earlier run do not hide it.
        let (memory, _) = run(&step, &programs(path, "echo 8 GB are too few >&2; exit 4"));
        let memory = memory.unwrap_err();
        assert!(matches!(&memory, EngineError::OutOfMemory { last_lines, .. }
            if last_lines == "8 GB are too few"));
        assert!(memory.to_string().contains("smaller --batch"), "{memory}");
        assert_eq!(memory.exit_status(), ExitStatus::OutOfMemory);
        assert_eq!(failed.unwrap_err().exit_status(), ExitStatus::Failed);
        // The batch of a run is no setting of what reads its network.
        let advice = Command::TrainPredict.memory_advice();
        assert!(!advice.contains("--batch"), "{advice}");
        let nowhere = Programs { train: "no-such-program".into(), ..programs(path, "exit 0") };
        let start = run(&step, &nowhere).0.unwrap_err().to_string();
        assert!(start.contains("no-such-program"), "{start}");
    }

    #[test]
    fn threads_are_named_where_they_were_chosen_and_a_complaint_is_passed_on() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let programs =
            programs(folder.path(), "echo \"$@\"; echo first >&2; echo last >&2; exit $2");
        let one_a_core = Programs { threads: None, ..programs.clone() };
        let call = |code: &str| Call::new(Command::TimeSlices, [code.into()]);
        assert_eq!(programs.output(&call("0")).unwrap().unwrap(), b"time 0 --threads=1\n");
        assert_eq!(one_a_core.output(&call("0")).unwrap().unwrap(), b"time 0\n");
        assert_eq!(programs.output(&call("1")).unwrap(), Err("last".to_owned()));
    }

    #[test]
    fn steps_run_in_order_and_not_twice() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let convert: fn(&Path, &Path) -> Result<(), ConvertError> =
            |from, to| Ok(fs::copy(from, to).map(drop)?);
        let files = ["a", "b", "c"].map(|name| path.join(name));
        let step = |index: usize| {
            let [from, to]: [PathBuf; 2] = [files[index].clone(), files[index + 1].clone()];
            let action = Action::Convert(Convert { from, to: to.clone(), convert });
            let name = format!("step-{index}");
            Step { work: 1.0, ..Step::new(&path.join("steps"), name, "copies", action) }
                .writes([to])
        };
        let mut steps = [step(0), step(1)];
        chain(&mut steps);
        assert_eq!(steps[1].needs, [steps[0].key()]);
        let programs = programs(path, "exit 1");
        let run = |restart: bool, goes_on: bool| {
            let mut events = Vec::new();
            let outcome = run_steps(&steps, &programs, restart, &mut |event| {
                events.push(match event {
                    StepEvent::Begins { number, .. } => format!("{number} begins"),
                    StepEvent::Complete { number, .. } => format!("{number} is complete"),
                    StepEvent::Progress { .. } => "progress".to_owned(),
                    StepEvent::Ended(Ended { number, outcome, seconds_left, .. }) => {
                        match outcome {
                            Ok(_) => format!("{number} ended, {}", seconds_left.is_some()),
                            Err(_) if goes_on => format!("{number} failed"),
                            Err(error) => return Err(error),
                        }
                    }
                });
                Ok::<(), EngineError>(())
            });
            (outcome.map_err(|error| error.to_string()), events)
        };
        let events = || run(false, false);
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (failed, seen) = events();
        assert!(failed.unwrap_err().contains("the step `step-0`"));
        assert_eq!(seen, ["1 begins"]);
        fs::write(&files[0], "text").unwrap();
        let all = texts(&["1 begins", "1 ended, true", "2 begins", "2 ended, true"]);
        assert_eq!(events(), (Ok(()), all.clone()));
        assert_eq!(events(), (Ok(()), texts(&["1 is complete", "2 is complete"])));
        assert_eq!(run(true, false), (Ok(()), all));
        // A start over that is cut short leaves nothing complete: neither the step that failed nor
        // those that it did not come to.
        fs::remove_file(&files[0]).unwrap();
        assert!(run(true, false).0.is_err());
        assert!(steps.iter().all(|step| !step.record.exists()));
        // Where a step may fail, those after it are run; here on what an earlier run left.
        let all = texts(&["1 begins", "1 failed", "2 begins", "2 ended, true"]);
        assert_eq!(run(false, true), (Ok(()), all));
        fs::write(&files[0], "text").unwrap();
        let all = texts(&["1 begins", "1 ended, true", "2 is complete"]);
        assert_eq!(events(), (Ok(()), all));
        // A step that is done again has no record until it is complete.
        fs::remove_file(&files[1]).unwrap();
        fs::remove_file(&files[0]).unwrap();
        assert!(events().0.is_err() && !steps[0].record.exists());
    }
}
