//! `hemora serve` beside Orthanc: images stored a second, memory, starts, and from image to result.

pub(super) mod client;
pub(super) mod figures;
mod latency;
pub(super) mod orthanc;
mod rates;
mod restart;

use std::path::PathBuf;

use miette::Result;

use super::table::table;
use crate::node::{Slice, build, fresh_folder, phantoms};
use crate::process::{log, read};
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Images of 525 kB that are stored
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(32..))]
    images: u32,
    /// Turns of each program
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Studies of 34 slices from whose last image to the result is measured
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    studies: u32,
    /// Images in the data folder of the node that is started again
    #[arg(long, default_value_t = 100_000)]
    held: u32,
    /// The hemora to run; by default it is built for release
    #[arg(long)]
    program: Option<PathBuf>,
}

/// Where and with what is measured.
struct Bench<'a> {
    workspace: &'a Workspace,
    program: PathBuf,
    folder: PathBuf,
}

/// A line of the table.
struct Row {
    what: String,
    orthanc: String,
    hemora: String,
    ratio: String,
    goal: String,
}

/// Measures, and prints a table to stdout.
pub fn serve(workspace: &Workspace, options: &Options) -> Result<()> {
    let program = build(workspace, options.program.as_deref())?;
    let folder = fresh_folder(workspace, "bench-serve")?;
    let bench = Bench { workspace, program, folder };
    log(format!("making {} phantom heads of 34 slices", options.studies));
    let studies = options.studies as usize;
    let heads = phantoms(&bench.program, &bench.folder.join("phantoms"), studies, 512, 5)?;
    let mut rows = Vec::new();
    let before = load();
    rows.extend(rates::rates(&bench, options, &heads)?);
    rows.extend(rates::memory(&bench, options, &heads[0][0])?);
    rows.extend(restart::restart(&bench, options)?);
    rows.extend(latency::latency(&bench, &heads)?);
    let head = ["", "Orthanc", "Hemora", "times", "goal"].map(str::to_owned).to_vec();
    let cells = |row: Row| vec![row.what, row.orthanc, row.hemora, row.ratio, row.goal];
    let rows: Vec<_> = std::iter::once(head).chain(rows.into_iter().map(cells)).collect();
    println!(
        "{} images of {} kB, {} turns of each, medians; {} cores. Load before {before}, after {}. {}, {}.\n",
        options.images,
        heads[0][0].bytes() / 1000,
        options.turns,
        std::thread::available_parallelism().map_or(1, usize::from),
        load(),
        version("Orthanc"),
        version("storescu"),
    );
    println!("{}", table(&rows));
    Ok(())
}

impl Bench<'_> {
    /// An empty folder for a part of it.
    fn fresh(&self, name: &str) -> Result<PathBuf> {
        fresh_folder(self.workspace, &format!("bench-serve/{name}"))
    }
}

/// Work that waits for the processors, over 1, 5 and 15 minutes.
pub(super) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// What a program calls itself.
pub(super) fn version(program: &str) -> String {
    let path = orthanc::find(program);
    let said = read(std::process::Command::new(path).arg("--version")).unwrap_or_default();
    let number = said.split_whitespace().find(|word| word.trim_start_matches('v').contains('.'));
    format!("{program} {}", number.unwrap_or("of an unknown version"))
}

/// A slice of a head, and how it is called.
type Head = Vec<Slice>;
