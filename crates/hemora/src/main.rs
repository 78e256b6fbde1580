//! The command line: flags to one library call each.

mod cli;
mod command;
mod default_model;
mod input;
mod output;
mod progress;
mod train_program;

use std::process::ExitCode;

use clap::Parser;
use hemora_base::ExitStatus;
use miette::Result;

use cli::{Cli, Command, EnsembleCommand, ModelCommand};

fn main() -> ExitCode {
    run(Cli::parse().command).unwrap_or_else(|report| {
        eprintln!("{report:?}");
        ExitStatus::Failed.into()
    })
}

fn run(command: Command) -> Result<ExitCode> {
    Ok(match command {
        Command::Triage(arguments) => command::triage::run(&arguments)?.into(),
        Command::Serve(arguments) => command::serve::run(&arguments)?.into(),
        Command::Demo(arguments) => command::demo::run(&arguments)?.into(),
        Command::Doctor(arguments) => command::doctor::run(&arguments)?.into(),
        Command::Synth(arguments) => command::synth::run(&arguments)?.into(),
        Command::Index(arguments) => command::index::run(&arguments)?.into(),
        Command::Merge(arguments) => command::merge::run(&arguments)?.into(),
        Command::Prepare(arguments) => command::prepare::run(&arguments)?.into(),
        Command::Train(arguments) => command::train::run(&arguments)?,
        Command::Study(arguments) => command::study::run(&arguments)?.into(),
        Command::Recipe(arguments) => command::recipe::run(&arguments)?.into(),
        Command::Evaluate(arguments) => command::evaluate::run(&arguments)?.into(),
        Command::Compare(arguments) => command::compare::run(&arguments)?.into(),
        Command::Calibrate(arguments) => command::calibrate::run(&arguments)?.into(),
        Command::Manual(arguments) => command::manual::run(&arguments)?.into(),
        Command::Ensemble { command } => match command {
            EnsembleCommand::Fit(arguments) => command::ensemble::fit(&arguments)?.into(),
            EnsembleCommand::Bundle(arguments) => command::ensemble::bundle(&arguments)?.into(),
        },
        Command::Model { command } => match command {
            ModelCommand::Summary(arguments) => command::model::summary(&arguments)?.into(),
            ModelCommand::Inspect(arguments) => command::model::inspect(&arguments)?.into(),
            ModelCommand::Import(arguments) => command::import::run(&arguments)?.into(),
            ModelCommand::Average(arguments) => command::average::run(&arguments)?.into(),
            ModelCommand::Bundle(arguments) => command::bundle::run(&arguments)?.into(),
            ModelCommand::Halve(arguments) => command::halve::run(&arguments)?.into(),
        },
    })
}
