//! The commands that do steps: which program, which subcommand, which arguments.

use std::ffi::{OsStr, OsString};

/// A subcommand of `hemora` or `hemora-train` that a step may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `hemora index`
    Index,
    /// `hemora prepare`
    Prepare,
    /// `hemora triage`
    Triage,
    /// `hemora evaluate`
    Evaluate,
    /// `hemora model bundle`
    ModelBundle,
    /// `hemora ensemble fit`
    EnsembleFit,
    /// `hemora ensemble bundle`
    EnsembleBundle,
    /// `hemora-train run`
    TrainRun,
    /// `hemora-train predict`
    TrainPredict,
    /// `hemora-train sequence`
    TrainSequence,
    /// `hemora-train time`
    TimeSlices,
    /// `hemora-train time-sequence`
    TimeSeries,
}

impl Command {
    /// The words that name it on the program's command line.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Index => &["index"],
            Self::Prepare => &["prepare"],
            Self::Triage => &["triage"],
            Self::Evaluate => &["evaluate"],
            Self::ModelBundle => &["model", "bundle"],
            Self::EnsembleFit => &["ensemble", "fit"],
            Self::EnsembleBundle => &["ensemble", "bundle"],
            Self::TrainRun => &["run"],
            Self::TrainPredict => &["predict"],
            Self::TrainSequence => &["sequence"],
            Self::TimeSlices => &["time"],
            Self::TimeSeries => &["time-sequence"],
        }
    }

    /// Whether it is one of the training program, `hemora-train`.
    pub fn trains(self) -> bool {
        matches!(
            self,
            Self::TrainRun
                | Self::TrainPredict
                | Self::TrainSequence
                | Self::TimeSlices
                | Self::TimeSeries
        )
    }

    /// Name of its program.
    pub fn program(self) -> &'static str {
        if self.trains() { "hemora-train" } else { "hemora" }
    }

    /// What to do where its memory ran out.
    pub(super) fn memory_advice(self) -> &'static str {
        match self {
            Self::TrainRun => {
                "run it again with a smaller --batch; where networks were trained with the larger one \
                 already, with --restart or in another folder"
            }
            _ => "free some, or take a larger machine: the same command goes on with it",
        }
    }

    /// Whether it takes `--threads`.
    pub fn takes_threads(self) -> bool {
        !matches!(
            self,
            Self::Evaluate | Self::ModelBundle | Self::EnsembleFit | Self::EnsembleBundle
        )
    }

    /// Whether it takes `--progress json` and then prints [`hemora_base::Event`] lines.
    pub fn reports_progress(self) -> bool {
        matches!(self, Self::TrainRun | Self::TrainPredict | Self::TrainSequence)
    }
}

/// A command with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The command.
    pub command: Command,
    /// Arguments that decide what it writes.
    pub settings: Vec<OsString>,
    /// Arguments that do not: where files lie whose content is known otherwise, and whether a run
    /// starts over.
    pub paths: Vec<OsString>,
}

impl Call {
    /// A call all of whose arguments decide what it writes.
    pub fn new(command: Command, settings: impl IntoIterator<Item = OsString>) -> Self {
        Self { command, settings: settings.into_iter().collect(), paths: Vec::new() }
    }

    /// All arguments but those that the engine adds (threads, progress).
    pub fn arguments(&self) -> impl Iterator<Item = OsString> {
        let words = self.command.words().iter().map(OsString::from);
        words.chain(self.settings.iter().cloned()).chain(self.paths.iter().cloned())
    }

    /// What decides its outputs, each part as bytes of its own.
    pub(super) fn parts(&self) -> impl Iterator<Item = &OsStr> {
        let words = self.command.words().iter().map(OsStr::new);
        let program = OsStr::new(self.command.program());
        [program].into_iter().chain(words).chain(self.settings.iter().map(OsString::as_os_str))
    }

    /// The line as it would be typed, without `paths`; for people.
    pub fn line(&self) -> String {
        let words = self.command.words().iter().map(|word| (*word).into());
        let settings = self.settings.iter().map(|word| word.to_string_lossy());
        let all = [self.command.program().into()].into_iter().chain(words).chain(settings);
        all.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_typed_as_it_is_run() {
        let call = Call {
            paths: vec!["--out=x".into()],
            ..Call::new(Command::EnsembleFit, ["a=1".into(), "b=2".into()])
        };
        assert_eq!(call.line(), "hemora ensemble fit a=1 b=2");
        let arguments: Vec<OsString> = call.arguments().collect();
        assert_eq!(arguments, ["ensemble", "fit", "a=1", "b=2", "--out=x"]);
        assert!(!Command::EnsembleFit.takes_threads() && Command::Prepare.takes_threads());
        assert_eq!(Command::TimeSeries.program(), "hemora-train");
    }
}
