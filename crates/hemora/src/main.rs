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
            EnsembleCommand::Fit(arguments) => command::ensemble::fit(&arguments),
            EnsembleCommand::Bundle(arguments) => command::ensemble::bundle(&arguments),
        },
        Command::Model { command } => match command {
            ModelCommand::Summary(arguments) => command::model::summary(&arguments),
            ModelCommand::Inspect(arguments) => command::model::inspect(&arguments),
            ModelCommand::Import(arguments) => command::import::run(&arguments),
            ModelCommand::Average(arguments) => command::average::run(&arguments),
            ModelCommand::Bundle(arguments) => command::bundle::run(&arguments),
        },
    };
    result.unwrap_or_else(|report| {
        eprintln!("{report:?}");
        ExitCode::from(1)
    })
}
