//! From the start of the program until it listens and until it is ready, with nothing and with much in
//! its data folder.

use std::process::Command;
use std::time::Duration;

use miette::Result;

use super::client::Client;
use super::orthanc::Orthanc;
use super::{Bench, Options, Row};
use crate::bench::measure::median;
use crate::node::Node;
use crate::process::{log, read};

/// How long a node may take until it scores.
const READY: Duration = Duration::from_secs(120);

const CONFIG: &str = "[dicom]\nlisten = \"127.0.0.1:0\"\n";

/// Starts both in turn, then the node again with images in its folder.
pub fn restart(bench: &Bench<'_>, options: &Options) -> Result<Vec<Row>> {
    let (mut theirs, mut ours, mut ready) = (Vec::new(), Vec::new(), Vec::new());
    let folder = bench.folder.join("restart");
    for _ in 0..options.turns {
        let orthanc = Orthanc::start(&bench.fresh("orthanc")?, Client::Default)?;
        theirs.push(orthanc.listening().as_secs_f64());
        drop(orthanc);
        bench.fresh("restart")?;
        start(bench, &mut ours, &mut ready)?;
    }
    let mut rows = vec![
        row("start to listening, s", Some(median(&theirs)), median(&ours), "≤ 1.5"),
        row("start to ready (the model is loaded), s", None, median(&ready), ""),
    ];
    log(format!("{} rows into the database", options.held));
    let mut fill = Command::new(bench.workspace.peers_python());
    fill.arg(bench.workspace.root().join("tools").join("bench_rows.py"));
    read(fill.arg(folder.join("node")).arg(options.held.to_string()))?;
    (ours, ready) = (Vec::new(), Vec::new());
    for _ in 0..options.turns {
        start(bench, &mut ours, &mut ready)?;
    }
    let with = format!("with {} images", options.held);
    rows.push(row(&format!("the same, {with}: listening, s"), None, median(&ours), ""));
    rows.push(row(&format!("the same, {with}: ready, s"), None, median(&ready), "≤ 2"));
    Ok(rows)
}

/// Starts a node in the folder `restart`, and ends it.
fn start(bench: &Bench<'_>, listening: &mut Vec<f64>, ready: &mut Vec<f64>) -> Result<()> {
    let node = Node::start(&bench.program, &bench.folder.join("restart"), CONFIG)?;
    listening.push(node.listening().as_secs_f64());
    ready.push(node.ready(READY)?.as_secs_f64());
    node.terminate()
}

fn row(what: &str, orthanc: Option<f64>, hemora: f64, goal: &str) -> Row {
    Row {
        what: what.to_owned(),
        orthanc: orthanc.map(|seconds| format!("{seconds:.2}")).unwrap_or_default(),
        hemora: format!("{hemora:.2}"),
        ratio: String::new(),
        goal: goal.to_owned(),
    }
}
