//! DICOM files to a prepared set: Hemora beside the script that one writes in Python, and the
//! least that it can take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use super::measure::median;
use super::table::table;
use crate::process::{cargo, read, run, say};
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct PrepareOptions {
    /// A folder of DICOM files. Default: phantoms of 512 × 512
    #[arg(long, requires = "labels")]
    dicom: Option<PathBuf>,
    /// The label table of the folder
    #[arg(long, requires = "dicom")]
    labels: Option<PathBuf>,
    /// Phantom patients, about 35 slices each
    #[arg(long, default_value_t = 30)]
    patients: usize,
    /// How often each program runs
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    repeats: u8,
}

/// Measures, and prints a table to stdout.
pub fn prepare(workspace: &Workspace, options: &PrepareOptions) -> Result<()> {
    say("building for release");
    let mut build = cargo(workspace);
    build.args(["build", "--release", "--package", "hemora-data", "--example", "prepare_bench"]);
    run(&mut build)?;
    let bench = Bench {
        program: workspace.target().join("release/examples/prepare_bench"),
        folder: workspace.target().join("bench-prepare"),
    };
    let (dicom, labels) = match (&options.dicom, &options.labels) {
        (Some(dicom), Some(labels)) => {
            let absolute = |path: &Path| std::path::absolute(path).into_diagnostic();
            (absolute(dicom)?, absolute(labels)?)
        }
        _ => bench.phantoms(options.patients)?,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let python = std::env::var_os("HEMORA_PEERS_PYTHON")
        .map_or_else(|| workspace.peers_python(), PathBuf::from);
    let (mut ours, mut peer, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..options.repeats {
        say(format!("run {} of {}", repeat + 1, options.repeats));
        let out = bench.empty("ours")?;
        let mut command = Command::new(&bench.program);
        command.arg("ours").arg(&dicom).arg(&labels).arg("howard").arg(&out);
        ours.push(json(&read(&mut command)?)?);
        let images = out.join("set/images");
        let mut command = Command::new(&bench.program);
        command.arg("floor").arg(&dicom).arg(images).arg(bench.empty("floor")?);
        floor.push(json(&read(&mut command)?)?);
        let out = bench.empty("peer")?;
        let mut command = Command::new(&python);
        command.arg(workspace.root().join("tools/peer_prepare.py")).arg(&dicom);
        command.arg("--out").arg(&out).args(["--processes", &cores.to_string()]);
        run(&mut command)?;
        let timings = fs::read_to_string(out.join("timings.json")).into_diagnostic()?;
        peer.push(json(&timings)?);
    }
    print!("{}", report(&dicom, cores, &ours, &peer, &floor)?);
    Ok(())
}

struct Bench {
    program: PathBuf,
    folder: PathBuf,
}

impl Bench {
    /// Phantoms and their label table, the same every time; kept from run to run.
    fn phantoms(&self, patients: usize) -> Result<(PathBuf, PathBuf)> {
        let folder = self.folder.join(format!("phantoms-{patients}"));
        let (dicom, labels) = (folder.join("stage_2_train"), folder.join("stage_2_train.csv"));
        // The table is written last: where it is, everything is there.
        if !labels.is_file() {
            say(format!("making {patients} phantom patients"));
            let mut command = Command::new(&self.program);
            command.args(["phantoms", &patients.to_string(), "512"]).arg(&folder);
            read(&mut command)?;
        }
        Ok((dicom, labels))
    }

    fn empty(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).into_diagnostic().wrap_err("cannot remove old results")?;
        }
        fs::create_dir_all(&folder).into_diagnostic().wrap_err("cannot make the output folder")?;
        Ok(folder)
    }
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).into_diagnostic().wrap_err("the program printed no JSON")
}

/// The median of a figure over the runs.
fn figure(runs: &[Value], name: &str) -> Result<f64> {
    let values: Option<Vec<f64>> = runs.iter().map(|run| run[name].as_f64()).collect();
    let values = values.filter(|values| !values.is_empty());
    values.map(|values| median(&values)).ok_or_else(|| miette!("a run has no number `{name}`"))
}

fn report(
    dicom: &Path,
    cores: usize,
    ours: &[Value],
    peer: &[Value],
    floor: &[Value],
) -> Result<String> {
    let files = figure(ours, "files")?;
    let with = peer.first().and_then(|run| run["with"].as_str()).unwrap_or("?");
    let (peer_s, floor_s) = (figure(peer, "total_s")?, figure(floor, "total_s")?);
    let lines = [
        ("Hemora, index and prepare", ours, figure(ours, "total_s")?),
        ("Hemora, prepare alone", ours, figure(ours, "prepare_s")?),
        ("reading files and encoding JPEGs alone", floor, floor_s),
        ("Python", peer, peer_s),
    ];
    let head = ["program", "images", "s", "slices/s", "times Python", "times the floor's time"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (name, runs, seconds) in lines {
        rows.push(vec![
            name.to_owned(),
            format!("{:.0}", figure(runs, "written")?),
            format!("{seconds:.2}"),
            format!("{:.0}", files / seconds),
            format!("{:.1}", peer_s / seconds),
            format!("{:.1}", seconds / floor_s),
        ]);
    }
    Ok(format!(
        "{files:.0} slices of {}, {cores} cores, medians of {} runs; files are in the system's \
         cache.\nPython: pydicom, numpy, {with} and Pillow in {cores} processes. Peak memory of \
         Hemora: {:.0} MiB.\n\n{}",
        dicom.display(),
        ours.len(),
        figure(ours, "peak_mib")?,
        table(&rows)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_medians_and_ratios_go_the_right_way() {
        let run = |seconds: f64| {
            json(&format!(
                "{{\"files\": 100, \"written\": 90, \"total_s\": {seconds}, \"prepare_s\": 1.0, \
                 \"peak_mib\": 50, \"with\": \"scipy\"}}"
            ))
            .unwrap()
        };
        let (ours, peer) = ([run(2.0), run(9.0), run(1.0)], [run(20.0)]);
        let text = report(Path::new("/data"), 2, &ours, &peer, &[run(0.5)]).unwrap();
        let line = text.lines().find(|line| line.contains("index and prepare")).unwrap();
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!(cells[2..7], ["90", "2.00", "50", "10.0", "4.0"]);
        assert!(report(Path::new("/data"), 2, &ours, &[], &[]).is_err());
        assert!(figure(&[json("{}").unwrap()], "total_s").is_err());
    }
}
