//! Everything a developer runs: set-up, checks, tests, fuzzing, training builds and benchmarks.
//!
//! `cargo xtask --help` lists the commands. What set-up makes lies in `.env` of the checkout.

mod bench;
mod browser;
mod checks;
mod dist;
mod environment;
mod fuzz;
mod gpu_kit;
mod node;
mod npm;
mod peers;
mod process;
mod programs;
mod soak;
mod torch;
mod web;
mod workspace;

use clap::{Parser, Subcommand};
use miette::Result;

use environment::Environment;
use process::{cargo, run};
use workspace::Workspace;

/// Everything a developer runs: set-up, checks, tests, fuzzing, training builds and benchmarks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install libtorch and the Python packages that tests compare with, into .env, and as root on Debian
    /// the programs
    Setup {
        /// Keep libtorch's CUDA libraries and install what they need (3 GB to download)
        #[arg(long)]
        cuda: bool,
    },
    /// Print what to export: eval "$(cargo xtask env)"
    Env,
    /// Formatting, lints and documentation
    Check,
    /// All tests, hemora-train's and those in a browser too; arguments go to `cargo test`
    Test {
        /// Such as `-p hemora-train` or `-- name_of_a_test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The tests of the pages in Chromium alone, or pictures of every screen
    Browser(browser::Options),
    /// What CI runs: check, then test; a test that finds no peer fails
    Ci,
    /// Build hemora-train for release and run it: cargo xtask train -- --help
    Train {
        /// Arguments of hemora-train
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build hemora-train for release
    TrainBuild,
    /// Make the folder that a GPU machine without a network gets: program, pictures, weights, scripts
    GpuKit(gpu_kit::Options),
    /// Look for inputs that make a parser panic; needs cargo-fuzz
    Fuzz(fuzz::Options),
    /// Kill a node (-9) again and again while images come and results go: is anything lost or double?
    Soak(soak::Options),
    /// Build the node's pages of web/ into crates/hemora-serve/page; needs node and npm
    Web(web::Options),
    /// Make the packages for people without a compiler: archive, Python wheel, Debian package; and try them
    Dist(dist::Options),
    /// Measure, beside what a Python user would run
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Seconds from DICOM files to the result of one study
    Triage(bench::Options),
    /// Slices a second of an archive of many studies, beside the networks alone
    Archive(bench::ArchiveOptions),
    /// Images a second of every network alone, with each engine
    Networks(bench::NetworksOptions),
    /// Slices a second from DICOM files to a prepared set
    Prepare(bench::PrepareOptions),
    /// Batches a second of a prepared set
    Loader(bench::LoaderOptions),
    /// Seconds for the metrics and clustered intervals of a million slices
    Eval(bench::EvalOptions),
    /// Images a second that a node stores beside Orthanc, and seconds from image to result
    Serve(bench::ServeOptions),
    /// From a click to the first slice, beside OHIF, and keys in a long list
    Page(bench::PageOptions),
    /// Images a second of training steps and epochs
    Train(bench::TrainOptions),
}

fn main() -> Result<()> {
    let workspace = Workspace::find();
    let task = Arguments::parse().task;
    if let Task::Env = task {
        // Only reads: its stdout is evaluated by a shell.
        print!("{}", Environment::from_workspace(&workspace)?.export_lines());
        return Ok(());
    }
    if let Task::Fuzz(options) = &task {
        // Needs neither libtorch nor the Python packages.
        return fuzz::fuzz(&workspace, options);
    }
    if let Task::Web(options) = &task {
        return web::web(&workspace, options);
    }
    if let Task::Dist(options) = &task
        && !options.test
    {
        // Needs nothing of set-up either.
        return dist::dist(&workspace, options);
    }
    if matches!(task, Task::Check | Task::Ci) {
        checks::format(&workspace)?;
    }
    let cuda = matches!(task, Task::Setup { cuda: true });
    // The peers first: their environment has the pip that installs libtorch.
    peers::set_up(&workspace)?;
    torch::set_up(&workspace, cuda)?;
    if matches!(
        task,
        Task::Setup { .. }
            | Task::Test { .. }
            | Task::Browser(_)
            | Task::Ci
            | Task::Dist(_)
            | Task::Soak(_)
            | Task::Bench(Bench::Serve(_) | Bench::Page(_))
    ) {
        programs::set_up()?;
    }
    let environment = Environment::from_workspace(&workspace)?;
    match task {
        Task::Setup { .. } | Task::Env | Task::Fuzz(_) | Task::Web(_) => Ok(()),
        Task::Check => checks::check(&workspace, &environment),
        Task::Test { arguments } => checks::test(&workspace, &environment, &arguments),
        Task::Browser(options) => browser::browser(&workspace, &environment, &options),
        Task::Ci => {
            web::web(&workspace, &web::Options::CHECK)?;
            checks::check(&workspace, &environment)?;
            checks::test_with_peers(&workspace, &environment)
        }
        Task::Train { arguments } => train(&workspace, &environment, &arguments),
        Task::Dist(_) => dist::test(&workspace, true),
        Task::TrainBuild => {
            let mut build = cargo(&workspace);
            build.args(["build", "--release", "--package", "hemora-train"]);
            environment.apply(&mut build)?;
            run(&mut build)
        }
        Task::GpuKit(options) => gpu_kit::make(&workspace, &environment, &options),
        Task::Bench(Bench::Triage(options)) => bench::triage(&workspace, &environment, &options),
        Task::Soak(options) => soak::soak(&workspace, &options),
        Task::Bench(Bench::Archive(options)) => bench::archive(&workspace, &environment, &options),
        Task::Bench(Bench::Networks(options)) => {
            bench::networks(&workspace, &environment, &options)
        }
        Task::Bench(Bench::Serve(options)) => bench::serve(&workspace, &options),
        Task::Bench(Bench::Page(options)) => bench::page(&workspace, &environment, &options),
        Task::Bench(Bench::Prepare(options)) => bench::prepare(&workspace, &options),
        Task::Bench(Bench::Loader(options)) => bench::loader(&workspace, &options),
        Task::Bench(Bench::Train(options)) => bench::train(&workspace, &environment, &options),
        Task::Bench(Bench::Eval(options)) => bench::eval(&workspace, &options),
    }
}

/// Runs hemora-train where the developer stands, so that relative paths mean what was typed.
fn train(workspace: &Workspace, environment: &Environment, arguments: &[String]) -> Result<()> {
    let mut train = cargo(workspace);
    if let Ok(here) = std::env::current_dir() {
        train.current_dir(here);
    }
    train.args(["run", "--quiet", "--release", "--package", "hemora-train", "--manifest-path"]);
    train.arg(workspace.root().join("Cargo.toml")).arg("--").args(arguments);
    environment.apply(&mut train)?;
    run(&mut train)
}
