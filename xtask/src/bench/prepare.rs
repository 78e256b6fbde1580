//! DICOM files to a prepared set: Hemora beside the script that one writes in Python, and the
//! least that it can take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result};
use serde_json::Value;

use super::data::{Data, absolute, figure, json};
use super::table::table;
use crate::process::{log, run};
use crate::workspace::Workspace;

/// Numbers of slices whose peak memory is compared.
const MEMORY_SLICES: [usize; 2] = [1000, 20_000];

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
    /// Compare the peak memory for 1,000 and 20,000 slices instead of measuring time
    #[arg(long, conflicts_with_all = ["dicom", "patients", "repeats"])]
    memory: bool,
}

/// Measures, and prints a table to stdout.
pub fn prepare(workspace: &Workspace, options: &PrepareOptions) -> Result<()> {
    let data = Data::build(workspace, "bench-data")?;
    if options.memory {
        print!("{}", memory(&data)?);
        return Ok(());
    }
    let (dicom, labels) = match (&options.dicom, &options.labels) {
        (Some(dicom), Some(labels)) => (absolute(dicom)?, absolute(labels)?),
        _ => data.phantoms(options.patients, 512)?,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let python = std::env::var_os("HEMORA_PEERS_PYTHON")
        .map_or_else(|| workspace.peers_python(), PathBuf::from);
    let (mut ours, mut peer, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..options.repeats {
        log(format!("run {} of {}", repeat + 1, options.repeats));
        let out = data.empty("ours")?;
        let mut command = data.program("prepare_bench");
        command.arg("ours").arg(&dicom).arg(&labels).arg("howard").arg(&out);
        ours.push(Data::figures(&mut command)?);
        let images = out.join("set/images");
        let mut command = data.program("prepare_bench");
        command.arg("floor").arg(&dicom).arg(images).arg(data.empty("floor")?);
        floor.push(Data::figures(&mut command)?);
        let out = data.empty("peer")?;
        let mut command = Command::new(&python);
        command.arg(workspace.root().join("tools/peer_prepare.py")).arg(&dicom);
        command.arg("--out").arg(&out).args(["--processes", &cores.to_string()]);
        run(&mut command)?;
        peer.push(json(&fs::read_to_string(out.join("timings.json")).into_diagnostic()?)?);
    }
    print!("{}", report(&dicom, cores, &ours, &peer, &floor)?);
    Ok(())
}

/// Peak memory of an index and of a prepared set, for few and for many slices.
fn memory(data: &Data) -> Result<String> {
    let head = ["slices", "index, MiB", "prepare, MiB"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    for slices in MEMORY_SLICES {
        let (dicom, labels) = data.copies(slices)?;
        let out = data.empty("memory")?;
        let index = out.join("set.parquet");
        log(format!("index and prepared set of {slices} slices"));
        let mut command = data.program("prepare_bench");
        let indexed = Data::figures(command.arg("index").arg(&dicom).arg(&labels).arg(&index))?;
        let mut command = data.program("prepare_bench");
        command.arg("prepare").arg(&index).arg("howard").arg(out.join("set"));
        let prepared = Data::figures(&mut command)?;
        let peak = |run: &Value| figure(std::slice::from_ref(run), "peak_mib");
        let (index, prepared) = (peak(&indexed)?, peak(&prepared)?);
        rows.push(vec![slices.to_string(), format!("{index:.1}"), format!("{prepared:.1}")]);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!(
        "peak memory of the whole process, {cores} cores; slices of 64 × 64 pixels that are zoomed to \
         512 × 512\n\n{}",
        table(&rows)
    ))
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
    let lines = [
        ("Hemora, index and prepare", ours, "total_s", "cpu_s"),
        ("Hemora, prepare alone", ours, "prepare_s", "prepare_cpu_s"),
        ("reading files and encoding JPEGs alone", floor, "total_s", "cpu_s"),
        ("Python", peer, "total_s", "cpu_s"),
    ];
    let of = |runs| -> Result<[f64; 2]> { Ok([figure(runs, "total_s")?, figure(runs, "cpu_s")?]) };
    let (peer_took, floor_took) = (of(peer)?, of(floor)?);
    let head = [
        "program",
        "images",
        "s",
        "slices/s",
        "times Python",
        "times the floor's time",
        "s of all cores",
        "times Python",
        "times the floor's",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (name, runs, seconds, cpu) in lines {
        let (seconds, cpu) = (figure(runs, seconds)?, figure(runs, cpu)?);
        rows.push(vec![
            name.to_owned(),
            format!("{:.0}", figure(runs, "written")?),
            format!("{seconds:.2}"),
            format!("{:.0}", files / seconds),
            format!("{:.1}", peer_took[0] / seconds),
            format!("{:.1}", seconds / floor_took[0]),
            format!("{cpu:.2}"),
            format!("{:.1}", peer_took[1] / cpu),
            format!("{:.1}", cpu / floor_took[1]),
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
            serde_json::json!({
                "files": 100, "written": 90, "total_s": seconds, "prepare_s": 1.0,
                "cpu_s": 2.0 * seconds, "prepare_cpu_s": 2.0, "peak_mib": 50, "with": "scipy",
            })
        };
        let (ours, peer) = ([run(2.0), run(9.0), run(1.0)], [run(20.0)]);
        let text = report(Path::new("/data"), 2, &ours, &peer, &[run(0.5)]).unwrap();
        let line = text.lines().find(|line| line.contains("index and prepare")).unwrap();
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!(cells[2..10], ["90", "2.00", "50", "10.0", "4.0", "4.00", "10.0", "4.0"]);
        assert!(report(Path::new("/data"), 2, &ours, &[], &[]).is_err());
    }
}
