//! An archive of many studies: Hemora beside a Python program, and beside the networks alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use super::data::empty;
use super::measure::{
    Probabilities, Program, largest_difference, median, probabilities, read_json,
};
use super::table::table;
use crate::environment::Environment;
use crate::process::{cargo, log, read, run};
use crate::workspace::Workspace;

/// Slices of the phantoms, at least.
const PHANTOM_SLICES: usize = 2000;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct ArchiveOptions {
    /// A folder of DICOM files, which is repeated with other UIDs; measured beside phantoms
    #[arg(long)]
    dicom: Option<PathBuf>,
    /// How often that folder is repeated
    #[arg(long, default_value_t = 4)]
    times: usize,
    /// Phantom patients, about 35 slices each; 0 for none
    #[arg(long, default_value_t = PHANTOM_SLICES / 34 + 1)]
    patients: usize,
    /// The model bundle
    #[arg(long, default_value = "models/default.hemora")]
    model: PathBuf,
    /// The engine of Hemora; the Python program has ONNX Runtime
    #[arg(long, default_value = "onnxruntime")]
    engine: String,
    /// How often each program runs, one after the other in turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    repeats: u8,
}

/// Measures, and prints a table for each archive to stdout.
pub fn archive(
    workspace: &Workspace,
    environment: &Environment,
    options: &ArchiveOptions,
) -> Result<()> {
    log("building hemora for release");
    let build = ["build", "--release", "--bin", "hemora", "--example", "engine_rate"];
    run(cargo(workspace).args(build))?;
    let model = workspace.root().join(&options.model);
    let folder = workspace.target().join("bench-archive");
    let bench = Bench { workspace, environment, options, model, folder };
    let mut archives = Vec::new();
    if let Some(dicom) = &options.dicom {
        archives.push(("real", bench.repeated(dicom)?));
    }
    if options.patients > 0 {
        archives.push(("phantoms", bench.phantoms()?));
    }
    for (name, archive) in archives {
        let text = bench.measure(name, &archive)?;
        print!("{text}");
        fs::remove_dir_all(&archive).into_diagnostic().wrap_err("cannot remove the archive")?;
    }
    Ok(())
}

struct Bench<'a> {
    workspace: &'a Workspace,
    environment: &'a Environment,
    options: &'a ArchiveOptions,
    model: PathBuf,
    folder: PathBuf,
}

/// One program's runs on an archive.
struct Runs {
    program: Program,
    seconds: Vec<f64>,
    timings: Vec<Value>,
}

impl Bench<'_> {
    fn release(&self, program: &str) -> PathBuf {
        self.workspace.target().join("release").join(program)
    }

    fn peer(&self) -> Command {
        let mut command = Command::new(self.workspace.peers_python());
        command.arg(self.workspace.root().join("tools").join("peer_archive.py"));
        command
    }

    fn empty(&self, name: &str) -> Result<PathBuf> {
        empty(&self.folder.join(name))
    }

    fn repeated(&self, dicom: &Path) -> Result<PathBuf> {
        let (folder, times) = (self.empty("archive")?, self.options.times.to_string());
        log(format!("copying {} {times} times", dicom.display()));
        read(self.peer().arg("repeat").arg(dicom).arg(&folder).args(["--times", &times]))?;
        Ok(folder)
    }

    /// Phantoms, a folder a study.
    fn phantoms(&self) -> Result<PathBuf> {
        let (made, folder) = (self.empty("synth")?, self.empty("phantoms")?);
        let patients = self.options.patients.to_string();
        log(format!("making {patients} phantoms"));
        let mut synth = Command::new(self.release("hemora"));
        read(synth.arg("synth").arg(&made).args(["--patients", &patients, "--seed", "1"]))?;
        let images = made.join("stage_2_train");
        read(self.peer().arg("repeat").arg(&images).arg(&folder).args(["--times", "1"]))?;
        fs::remove_dir_all(&made).into_diagnostic().wrap_err("cannot remove the phantoms")?;
        Ok(folder)
    }

    fn hemora(&self, archive: &Path, pictures: bool) -> Result<Program> {
        let name = if pictures { "with pictures" } else { "without pictures" };
        let out = self.empty(&name.replace(' ', "-"))?;
        let mut program = Program::hemora(&self.release("hemora"), archive, &out);
        program.name = format!("Hemora, {name}");
        program.command.args(["--all-series", "--engine", &self.options.engine]);
        program.command.arg("--model").arg(&self.model);
        if !pictures {
            program.command.args(["--pictured-studies", "0"]);
        }
        self.environment.apply(&mut program.command)?;
        Ok(program)
    }

    fn python(&self, archive: &Path) -> Result<Program> {
        let out = self.empty("python")?;
        let mut command = self.peer();
        command.arg("triage").arg(archive).arg("--model").arg(&self.model).arg("--out").arg(&out);
        let (timings, result) = (out.join("timings.json"), out.join("result.json"));
        Ok(Program { name: "Python, a process a core".to_owned(), command, timings, result })
    }

    /// Slices a second of the networks alone.
    fn networks(&self) -> Result<f64> {
        let mut command = Command::new(self.release("examples/engine_rate"));
        command.arg(&self.model).args([&self.options.engine, "5"]);
        self.environment.apply(&mut command)?;
        let answer: Value = serde_json::from_str(&read(&mut command)?).into_diagnostic()?;
        answer["images_per_s"].as_f64().ok_or_else(|| miette!("engine_rate printed no rate"))
    }

    fn measure(&self, name: &str, archive: &Path) -> Result<String> {
        let programs =
            [self.hemora(archive, false)?, self.hemora(archive, true)?, self.python(archive)?];
        let mut runs =
            programs.map(|program| Runs { program, seconds: Vec::new(), timings: Vec::new() });
        let mut rates = Vec::new();
        for turn in 0..self.options.repeats {
            log(format!("{name}: turn {} of {}", turn + 1, self.options.repeats));
            rates.push(self.networks()?);
            for one in &mut runs {
                one.seconds.push(one.program.run()?);
                one.timings.push(read_json(&one.program.timings)?);
            }
        }
        let found: Vec<Probabilities> =
            runs.iter().map(|one| probabilities(&one.program.result)).collect::<Result<_>>()?;
        report(name, &runs, &found, median(&rates))
    }
}

/// The tables; the last of `runs` is the peer.
fn report(name: &str, runs: &[Runs], found: &[Probabilities], rate: f64) -> Result<String> {
    let (Some(peer), Some(theirs)) = (runs.last(), found.last()) else {
        return Ok(String::new());
    };
    // Six probabilities each.
    let slices = theirs.len() as f64 / 6.0;
    let alone = slices / rate;
    let head = [
        "program",
        "s",
        "slices/s",
        "times the networks alone",
        "times as fast as Python",
        "largest difference",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.push(vec![
        "the networks alone".to_owned(),
        format!("{alone:.2}"),
        format!("{rate:.1}"),
        "1.00".to_owned(),
        format!("{:.2}", median(&peer.seconds) / alone),
        "-".to_owned(),
    ]);
    for (one, found) in runs.iter().zip(found) {
        let seconds = median(&one.seconds);
        rows.push(vec![
            one.program.name.clone(),
            format!("{seconds:.2}"),
            format!("{:.1}", slices / seconds),
            format!("{:.2}", seconds / alone),
            format!("{:.2}", median(&peer.seconds) / seconds),
            format!("{:.1e}", largest_difference(found, theirs)?),
        ]);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let turns = peer.seconds.len();
    let mut text = format!(
        "{name}: {slices} slices, {cores} cores, medians of {turns} turns, from start to end of each \
         process.\n\n{}\n",
        table(&rows)
    );
    text += &format!(
        "Where the time goes, seconds of {cores} cores:\n\n{}\n",
        where_it_goes(runs, cores)?
    );
    Ok(text)
}

/// What Hemora's cores did in each phase.
fn where_it_goes(runs: &[Runs], cores: usize) -> Result<String> {
    let head =
        ["program", "load", "headers", "decode", "inputs", "networks", "else and idle", "report"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in runs.iter().filter(|one| one.timings.iter().all(|it| it["score_work_s"].is_object()))
    {
        let figure = |path: &str| -> Result<f64> {
            let values: Option<Vec<f64>> =
                one.timings.iter().map(|timings| timings.pointer(path)?.as_f64()).collect();
            let values =
                values.ok_or_else(|| miette!("{}: no {path}", one.program.timings.display()))?;
            Ok(median(&values))
        };
        let of_cores = |path: &str| Ok::<_, miette::Report>(figure(path)? * cores as f64);
        let (decode, inputs) = (figure("/score_work_s/decode")?, figure("/score_work_s/inputs")?);
        let networks = figure("/score_work_s/networks")?;
        let rest = of_cores("/score_s")? - decode - inputs - networks;
        let (load, headers, report) =
            (of_cores("/load_s")?, of_cores("/collect_s")?, of_cores("/report_s")?);
        let figures = [load, headers, decode, inputs, networks, rest, report];
        let figures = figures.map(|seconds| format!("{seconds:.2}"));
        rows.push([one.program.name.clone()].into_iter().chain(figures).collect());
    }
    Ok(table(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn runs(name: &str, seconds: f64, timings: Value) -> Runs {
        let (command, path) = (Command::new("true"), PathBuf::from("/timings.json"));
        let program =
            Program { name: name.to_owned(), command, timings: path, result: PathBuf::new() };
        Runs { program, seconds: vec![seconds; 3], timings: vec![timings; 3] }
    }

    #[test]
    fn ratios_are_to_the_networks_alone_and_to_python() {
        let labels = ["a", "b", "c", "d", "e", "any"];
        let found: Probabilities =
            (0..100).flat_map(|at| labels.map(|label| (format!("{at} {label}"), 0.5))).collect();
        let work = json!({"decode": 1.0, "inputs": 0.5, "networks": 4.0});
        let timings = json!({
            "load_s": 0.25, "collect_s": 0.5, "score_s": 3.0, "report_s": 0.25, "score_work_s": work,
        });
        let runs = [runs("Hemora", 4.0, timings), runs("Python", 8.0, json!({"score_s": 7.0}))];
        let text = report("phantoms", &runs, &[found.clone(), found], 50.0).unwrap();
        let cells = |start: &str| -> Vec<Vec<String>> {
            let lines = text.lines().filter(|line| line.starts_with(start));
            lines.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
        };
        let hemora = cells("| Hemora");
        assert_eq!(hemora[0][2..7], ["4.00", "25.0", "2.00", "2.00", "0.0e0"]);
        assert_eq!(hemora[1].len(), 10);
        let idle = &hemora[1][7];
        // Three seconds of scoring on each core, of which 5.5 are accounted for.
        let cores = std::thread::available_parallelism().unwrap().get() as f64;
        assert_eq!(*idle, format!("{:.2}", 3.0 * cores - 5.5));
        assert_eq!(cells("| Python").len(), 1);
    }
}
