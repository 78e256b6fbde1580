//! The command line: flags to one library call each.

mod cli;
mod command;
mod default_model;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, EnsembleCommand, ModelCommand};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Triage(arguments) => command::triage::run(&arguments),
        Command::Demo(arguments) => command::demo::run(&arguments),
        Command::Synth(arguments) => command::synth::run(&arguments),
        Command::Index(arguments) => command::index::run(&arguments),
        Command::Prepare(arguments) => command::prepare::run(&arguments),
        Command::Train(arguments) => command::train::run(&arguments),
        Command::Study(arguments) => command::study::run(&arguments),
        Command::Recipe(arguments) => command::recipe::run(&arguments),
        Command::Evaluate(arguments) => command::evaluate::run(&arguments),
        Command::Compare(arguments) => command::compare::run(&arguments),
        Command::Calibrate(arguments) => command::calibrate::run(&arguments),
        Command::Ensemble { command } => match command {
            EnsembleCommand::Fit(arguments) => {
                command::ensemble::fit(&arguments).map(ExitCode::from)
            }
            EnsembleCommand::Bundle(arguments) => {
                command::ensemble::bundle(&arguments).map(ExitCode::from)
            }
        },
        Command::Model { command } => match command {
            ModelCommand::Summary(arguments) => {
                command::model::summary(&arguments).map(ExitCode::from)
            }
            ModelCommand::Inspect(arguments) => {
                command::model::inspect(&arguments).map(ExitCode::from)
            }
            ModelCommand::Import(arguments) => command::import::run(&arguments).map(ExitCode::from),
            ModelCommand::Average(arguments) => {
                command::average::run(&arguments).map(ExitCode::from)
            }
            ModelCommand::Bundle(arguments) => command::bundle::run(&arguments).map(ExitCode::from),
        },
    };
    result.unwrap_or_else(|report| {
        eprintln!("{report:?}");
        ExitCode::from(1)
    })
}
