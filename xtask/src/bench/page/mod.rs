//! The pages of `hemora serve` beside OHIF: from a click to the first slice, slices a second, bytes, keys in a long list.

mod ohif;
mod report;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, miette};
use serde_json::json;

use super::serve::client::{Client, send, write};
use super::serve::orthanc::Orthanc;
use crate::browser;
use crate::environment::Environment;
use crate::node::{Name, Node, Slice, build, free_port, fresh_folder, phantoms, studies};
use crate::process::{log, read};
use crate::workspace::Workspace;

/// The plugin by which OHIF reads from Orthanc.
const DICOMWEB: &str = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";

/// How long the studies may take to be scored.
const LONGEST: Duration = Duration::from_secs(600);

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Times that each viewer is opened, by a click and by its address
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    opens: u32,
    /// Rows of the long list
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    /// Folder of studies to open (explicit VR little endian, one folder deep) instead of phantoms of 34 slices
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
    /// The hemora to run; by default it is built for release
    #[arg(long)]
    program: Option<PathBuf>,
}

/// Studies that are opened in turn.
const STUDIES: usize = 4;

/// Measures, and prints a table to stdout.
pub fn page(workspace: &Workspace, environment: &Environment, options: &Options) -> Result<()> {
    let program = build(workspace, options.program.as_deref())?;
    let ohif = ohif::built(workspace)?;
    let folder = fresh_folder(workspace, "bench-page")?;
    let part = |name: &str| fresh_folder(workspace, &format!("bench-page/{name}"));
    let mut heads = match &options.study {
        Some(named) => studies(named)?,
        None => phantoms(&program, &folder.join("phantoms"), STUDIES, 512, 5)?,
    };
    heads.truncate(STUDIES);
    if heads.is_empty() {
        return Err(miette!("there is no study to open"));
    }
    let files = part("files")?;
    let files = write(&files, named(&heads))?;
    let uids: Vec<_> = (0..heads.len()).map(|study| name(study, 0).study_uid()).collect();

    let archive_folder = part("archive")?;
    let settings = json!({
        "Plugins": [DICOMWEB], "DicomWeb": { "Enable": true }, "KeepAlive": true, "TcpNoDelay": true,
    });
    let archive = Orthanc::start_with(&archive_folder, Client::NoDelay, &settings)?;
    send(archive.port(), &files, 1, Client::NoDelay)?;

    let node = start(&program, &part("node")?, &files, uids.len())?;
    log(format!("a list of {} studies", options.rows));
    let small = phantoms(&program, &folder.join("small"), 1, 64, 20)?;
    let row = small.first().and_then(|slices| slices.first());
    let row = row.ok_or_else(|| miette!("no phantom for the long list"))?;
    let rows = (0..options.rows as usize).map(|study| (name(study, 0), row));
    let rows = write(&part("rows")?, rows)?;
    let list = start(&program, &part("list")?, &rows, options.rows as usize)?;

    let driver = json!({
        "node": node.origin(), "list": list.origin(), "orthanc": archive.http(), "ohif": ohif.folder,
        "studies": uids, "opens": options.opens,
    });
    let file = folder.join("settings.json");
    std::fs::write(&file, driver.to_string()).into_diagnostic()?;
    let before = super::serve::load();
    log(format!("{} opens of each viewer; load {before}", options.opens));
    let mut command = browser::script(workspace, environment, "bench/page.mjs", &file)?;
    let measured = serde_json::from_str(&read(&mut command)?).into_diagnostic()?;
    report::print(&measured, options, &heads, &ohif.version, &before)
}

/// The name of an image of a head.
fn name(study: usize, image: usize) -> Name {
    Name { study, image, localizer: false }
}

/// Every slice of the heads with its name.
fn named(heads: &[Vec<Slice>]) -> impl Iterator<Item = (Name, &Slice)> {
    heads.iter().enumerate().flat_map(|(study, slices)| {
        slices.iter().enumerate().map(move |(image, slice)| (name(study, image), slice))
    })
}

/// A node without a login that has scored what it was sent.
fn start(program: &Path, folder: &Path, files: &[PathBuf], studies: usize) -> Result<Node> {
    let port = free_port()?;
    let config = format!(
        "[node]\ndurability = \"process\"\n[dicom]\nlisten = \"127.0.0.1:{port}\"\n[settle]\nquiet = \"1s\"\n"
    );
    let node = Node::start(program, folder, &config)?;
    node.ready(LONGEST)?;
    send(port, files, 1, Client::NoDelay)?;
    let started = Instant::now();
    loop {
        let scored = scored(&node)?;
        if scored == studies {
            return Ok(node);
        }
        if started.elapsed() > LONGEST {
            return Err(miette!("{scored} of {studies} studies were scored"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// How many studies have a result, or a reason why they have none.
fn scored(node: &Node) -> Result<usize> {
    let mut count = 0;
    let mut after = String::new();
    loop {
        let page = node.get(&format!("/api/v1/studies?limit=200{after}"))?;
        let studies = page["studies"].as_array().map(Vec::as_slice).unwrap_or_default();
        count += studies.iter().filter(|study| study["class"].is_string()).count();
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(count),
        }
    }
}
