//! Images stored a second, and the memory that it takes.

use std::path::PathBuf;

use miette::{Result, miette};

use super::client::{Client, send, write};
use super::orthanc::Orthanc;
use super::{Bench, Head, Options, Row, load};
use crate::bench::measure::median;
use crate::node::{Name, Node, Slice, free_port};
use crate::process::log;

/// Associations of the measurement of memory.
const MANY: usize = 32;

/// Images of a study.
const OF_STUDY: usize = 100;

/// A way to send, and the goal: so many times as fast as Orthanc.
const CASES: [(Client, usize, f64); 4] = [
    (Client::Default, 1, 5.0),
    (Client::Default, 4, 5.0),
    (Client::NoDelay, 1, 0.9),
    (Client::NoDelay, 4, 1.2),
];

/// Rates of both, in turn. The images are localizers, so that the node stores and does not score
/// meanwhile; the last line is the node alone while it scores heads.
pub fn rates(bench: &Bench<'_>, options: &Options, heads: &[Head]) -> Result<Vec<Row>> {
    let files = localizers(bench, options, &heads[0][0])?;
    let mut rows = Vec::new();
    let mut default_client = f64::NAN;
    for (client, associations, goal) in CASES {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..options.turns {
            theirs.push(orthanc_rate(bench, &files, client, associations)?);
            ours.push(hemora_rate(bench, &files, client, associations)?);
        }
        let (theirs, ours) = (median(&theirs), median(&ours));
        if (client, associations) == (Client::Default, 1) {
            default_client = theirs;
        }
        let plural = if associations == 1 { "association" } else { "associations" };
        let client = match client {
            Client::Default => "default storescu",
            Client::NoDelay => "TCP_NODELAY=1",
        };
        log(format!(
            "{client}, {associations} {plural}: {theirs:.0} and {ours:.0}/s; load {}",
            load()
        ));
        rows.push(Row {
            what: format!("images/s, {client}, {associations} {plural}"),
            orthanc: format!("{theirs:.1}"),
            hemora: format!("{ours:.1}"),
            ratio: format!("{:.2}", ours / theirs),
            goal: format!("≥ {goal} times"),
        });
    }
    let named = heads.iter().enumerate().flat_map(|(study, head)| {
        let slices = head.iter().enumerate();
        slices.map(move |(image, slice)| (Name { study, image, localizer: false }, slice))
    });
    let files = write(&bench.fresh("heads")?, named)?;
    let mut ours = Vec::new();
    for _ in 0..options.turns {
        ours.push(hemora_rate(bench, &files, Client::Default, 1)?);
    }
    rows.push(Row {
        what: "the same, 1 association, while heads are scored".to_owned(),
        orthanc: format!("{default_client:.1}"),
        hemora: format!("{:.1}", median(&ours)),
        ratio: format!("{:.2}", median(&ours) / default_client),
        goal: String::new(),
    });
    Ok(rows)
}

/// Most memory of both while 32 associations store.
pub fn memory(bench: &Bench<'_>, options: &Options, slice: &Slice) -> Result<Vec<Row>> {
    let files = localizers(bench, options, slice)?;
    let folder = bench.fresh("orthanc")?;
    let orthanc = Orthanc::start(&folder, Client::Default)?;
    send(orthanc.port(), &files, MANY, Client::Default)?;
    let theirs = orthanc.peak_memory()?;
    drop(orthanc);
    let (node, port) = start(bench)?;
    node.ready(READY)?;
    let before = node.peak_memory()?;
    send(port, &files, MANY, Client::Default)?;
    let ours = node.peak_memory()?;
    let mb = |kib: u64| format!("{:.0}", kib as f64 * 1.024e-3);
    let row = |what: &str, orthanc, hemora, goal: &str| Row {
        what: what.to_owned(),
        orthanc,
        hemora,
        ratio: String::new(),
        goal: goal.to_owned(),
    };
    Ok(vec![
        row("most memory before the first image, MB", String::new(), mb(before), ""),
        row("most memory, 32 associations, MB", mb(theirs), mb(ours), "< 150 without the model"),
    ])
}

fn localizers(bench: &Bench<'_>, options: &Options, slice: &Slice) -> Result<Vec<PathBuf>> {
    let named = (0..options.images as usize).map(|number| {
        let (study, image) = (number / OF_STUDY, number % OF_STUDY);
        (Name { study, image, localizer: true }, slice)
    });
    write(&bench.fresh("localizers")?, named)
}

/// How long a node may take until it scores.
const READY: std::time::Duration = std::time::Duration::from_secs(60);

/// A node with an empty data folder, and its port.
fn start(bench: &Bench<'_>) -> Result<(Node, u16)> {
    let port = free_port()?;
    let config = format!(
        "[dicom]\nlisten = \"127.0.0.1:{port}\"\nmax_associations = 40\n\
         max_associations_per_peer = 40\n"
    );
    Ok((Node::start(&bench.program, &bench.fresh("hemora")?, &config)?, port))
}

fn orthanc_rate(
    bench: &Bench<'_>,
    files: &[PathBuf],
    client: Client,
    associations: usize,
) -> Result<f64> {
    let folder = bench.fresh("orthanc")?;
    let orthanc = Orthanc::start(&folder, client)?;
    let took = send(orthanc.port(), files, associations, client)?;
    match orthanc.instances()? {
        count if count == files.len() as u64 => Ok(files.len() as f64 / took.as_secs_f64()),
        count => Err(miette!("Orthanc has {count} of {} images", files.len())),
    }
}

fn hemora_rate(
    bench: &Bench<'_>,
    files: &[PathBuf],
    client: Client,
    associations: usize,
) -> Result<f64> {
    let (node, port) = start(bench)?;
    node.ready(READY)?;
    let took = send(port, files, associations, client)?;
    let stored = node.metric("hemora_instances_stored_total")?;
    match stored == files.len() as f64 {
        true => Ok(files.len() as f64 / took.as_secs_f64()),
        false => Err(miette!("Hemora has {stored} of {} images", files.len())),
    }
}
