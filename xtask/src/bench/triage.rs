//! One study from files to result: Hemora beside the script that one writes in Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use super::data::empty;
use super::measure::{Measured, Program, largest_difference, median};
use super::table::table;
use crate::environment::Environment;
use crate::process::{cargo, log, read, run};
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The study: a folder of DICOM files. Default: a phantom, made with `hemora synth`
    #[arg(long)]
    study: Option<PathBuf>,
    /// The model bundle
    #[arg(long, default_value = "models/default.hemora")]
    model: PathBuf,
    /// How often each program runs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    repeats: u8,
}

/// Measures, and prints a table to stdout.
pub fn triage(workspace: &Workspace, environment: &Environment, options: &Options) -> Result<()> {
    let model = workspace.root().join(&options.model);
    if !model.is_file() {
        return Err(miette!(
            help = "name a bundle with --model",
            "there is no model bundle {}",
            model.display()
        ));
    }
    log("building hemora for release");
    run(cargo(workspace).args(["build", "--release", "--bin", "hemora"]))?;
    let bench = Bench {
        workspace,
        environment,
        model,
        folder: workspace.target().join("bench-triage"),
        hemora: workspace.target().join("release").join("hemora"),
    };
    let study = match &options.study {
        Some(study) => std::path::absolute(study).into_diagnostic()?,
        None => bench.phantom()?,
    };
    let repeats = usize::from(options.repeats);
    let mut measured = Vec::new();
    for program in [
        bench.hemora("tract", &study, false)?,
        bench.hemora("onnxruntime", &study, false)?,
        bench.hemora("onnxruntime", &study, true)?,
        bench.python(&study)?,
    ] {
        log(format!("{}: {repeats} runs", program.name));
        measured.push(program.measure(repeats)?);
    }
    print!("{}", report(&study, &measured)?);
    bench.print_torch(repeats)
}

struct Bench<'a> {
    workspace: &'a Workspace,
    environment: &'a Environment,
    model: PathBuf,
    folder: PathBuf,
    hemora: PathBuf,
}

impl Bench<'_> {
    /// A study of one head, the same every time.
    fn phantom(&self) -> Result<PathBuf> {
        let folder = self.folder.join("phantom");
        if folder.exists() {
            fs::remove_dir_all(&folder).into_diagnostic().wrap_err("cannot remove the phantom")?;
        }
        log("making a phantom study");
        let mut synth = Command::new(&self.hemora);
        synth.arg("synth").arg(&folder).args(["--patients", "1", "--seed", "1"]);
        read(&mut synth).map_err(|error| {
            miette!(help = "name a folder of DICOM files with --study", "{error}")
        })?;
        Ok(folder.join("stage_2_train"))
    }

    /// Hemora, with the pictures of its report as by default, or without, as the peer has none.
    fn hemora(&self, engine: &str, study: &Path, pictures: bool) -> Result<Program> {
        let what = if pictures { format!("{engine}, with pictures") } else { engine.to_owned() };
        let out = self.empty(&what.replace(", ", "-").replace(' ', "-"))?;
        let mut program = Program::hemora(&self.hemora, study, &out);
        program.name = format!("Hemora, {what}");
        program.command.args(["--engine", engine]).arg("--model").arg(&self.model);
        if !pictures {
            program.command.args(["--pictured-studies", "0"]);
        }
        self.environment.apply(&mut program.command)?;
        Ok(program)
    }

    fn python(&self, study: &Path) -> Result<Program> {
        let out = self.empty("python")?;
        let mut command = Command::new(self.workspace.peers_python());
        command.arg(self.workspace.root().join("tools").join("peer_triage.py"));
        command.arg(study).arg("--model").arg(&self.model).arg("--out").arg(&out);
        Ok(Program {
            name: "Python: pydicom, ONNX Runtime".to_owned(),
            command,
            timings: out.join("timings.json"),
            result: out.join("result.json"),
        })
    }

    fn empty(&self, name: &str) -> Result<PathBuf> {
        empty(&self.folder.join(name))
    }

    /// Compares with PyTorch's eager mode, when HEMORA_TORCH_PYTHON names an interpreter.
    fn print_torch(&self, repeats: usize) -> Result<()> {
        let Some(python) = std::env::var_os("HEMORA_TORCH_PYTHON") else {
            log("no PyTorch line: HEMORA_TORCH_PYTHON names no interpreter with torch and timm");
            return Ok(());
        };
        run(cargo(self.workspace).args(["build", "--release", "--example", "engine_rate"]))?;
        let size = self.input_size()?.to_string();
        let repeats = repeats.to_string();
        let answer = |command: &mut Command| -> Result<Value> {
            serde_json::from_str(&read(command)?).into_diagnostic()
        };
        log("the network alone, one engine after the other, three times");
        let (mut ours, mut torch, mut about) = (Vec::new(), Vec::new(), Value::Null);
        for _ in 0..3 {
            let program = self.workspace.target().join("release/examples/engine_rate");
            let mut tract = Command::new(program);
            tract.arg(&self.model).args(["tract", &repeats]);
            ours.push(answer(&mut tract)?["images_per_s"].as_f64().unwrap_or(f64::NAN));
            let mut peer = Command::new(&python);
            peer.arg(self.workspace.root().join("tools").join("peer_torch.py"));
            peer.args(["--size", &size, "--batch", "8", "--repeats", &repeats]);
            about = answer(&mut peer)?;
            torch.push(about["images_per_s"].as_f64().unwrap_or(f64::NAN));
        }
        let (ours, torch) = (median(&ours), median(&torch));
        println!(
            "\nEfficientNet-Lite0 at {size} pixels alone, images/s: tract {ours:.1}; PyTorch {} \
             eager, batch 8, {} threads {torch:.1}; ratio {:.2}.",
            about["torch"].as_str().unwrap_or("?"),
            about["threads"],
            ours / torch
        );
        Ok(())
    }

    /// The model's input size, as its own description says.
    fn input_size(&self) -> Result<u64> {
        let program = "import json, sys, zipfile\n\
                       from peer_triage import find_recipe\n\
                       print(find_recipe(json.loads(\
                       zipfile.ZipFile(sys.argv[1]).read('model.json')))['size'])";
        let mut command = Command::new(self.workspace.peers_python());
        command.env("PYTHONPATH", self.workspace.root().join("tools"));
        command.args(["-c", program]).arg(&self.model);
        read(&mut command)?.trim().parse().into_diagnostic().wrap_err("model.json has no size")
    }
}

/// How many slices were scored, from six probabilities each.
fn images(measured: &Measured) -> f64 {
    measured.probabilities.len() as f64 / 6.0
}

/// The table; the last of `measured` is what the others are compared with.
fn report(study: &Path, measured: &[Measured]) -> Result<String> {
    let Some(python) = measured.last() else {
        return Ok(String::new());
    };
    let head = [
        "program",
        "process to result, s",
        "from a cold disk, s",
        "after start-up, s",
        "scoring, s",
        "times as fast, process",
        "times as fast, cold",
        "times as fast, after start-up",
        "largest difference of a probability",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in measured {
        let (process, ready) = (median(&one.process_s), median(&one.ready_s));
        let difference = largest_difference(&one.probabilities, &python.probabilities)?;
        rows.push(vec![
            one.name.clone(),
            format!("{process:.2}"),
            shown(one.cold_s, 2),
            format!("{ready:.2}"),
            format!("{:.2}", median(&one.score_s)),
            format!("{:.1}", median(&python.process_s) / process),
            shown(python.cold_s.zip(one.cold_s).map(|(python, ours)| python / ours), 1),
            format!("{:.1}", median(&python.ready_s) / ready),
            format!("{difference:.1e}"),
        ]);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!(
        "{} slices of {}, {threads} cores, median of {} runs, each a new process.\n\
         From a cold disk: one run before them, with nothing in the page cache (`-`: only root can \
         empty it).\nAll write JSON and CSV; Hemora also writes its HTML report, with pictures where it \
         is stated.\n\n{}",
        images(python),
        study.display(),
        python.process_s.len(),
        table(&rows)
    ))
}

/// The figure, or a dash where there is none.
fn shown(figure: Option<f64>, digits: usize) -> String {
    figure.map_or("-".to_owned(), |figure| format!("{figure:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::Probabilities;

    fn program(name: &str, seconds: f64, any: f64) -> Measured {
        let labels = ["a", "b", "c", "d", "e", "any"];
        let probabilities = labels.map(|label| (format!("1 {label}"), any));
        Measured {
            name: name.to_owned(),
            process_s: vec![seconds; 3],
            cold_s: (seconds > 2.0).then_some(9.0),
            ready_s: vec![seconds / 2.0; 3],
            score_s: vec![seconds / 4.0; 3],
            probabilities: Probabilities::from(probabilities),
        }
    }

    #[test]
    fn ratios_say_how_many_times_faster_than_the_last_program() {
        let ours = Measured { cold_s: Some(3.0), ..program("ours", 2.0, 0.5) };
        let measured = [ours, program("other", 2.0, 0.5), program("python", 8.0, 0.25)];
        let text = report(Path::new("/study"), &measured).unwrap();
        let line = text.lines().find(|line| line.starts_with("| ours")).unwrap();
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!(cells[2..10], ["2.00", "3.00", "1.00", "0.50", "4.0", "3.0", "4.0", "2.5e-1"]);
        let line = text.lines().find(|line| line.starts_with("| other")).unwrap();
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!([cells[3], cells[7]], ["-", "-"]);
        assert!(text.starts_with("1 slices"));
    }
}
