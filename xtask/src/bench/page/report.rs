//! What was measured, as a table.

use miette::{IntoDiagnostic, Result};
use serde::Deserialize;
use serde_json::Value;

use super::super::serve::{figures::percentile, load, version};
use super::super::table::table;
use super::Options;
use crate::node::Slice;

/// What the driver prints.
#[derive(Debug, Deserialize)]
struct Measured {
    /// Version of Chromium.
    version: String,
    hemora: Viewer,
    ohif: Viewer,
    list: List,
}

/// Of one viewer: ms, bytes, slices a second.
#[derive(Debug, Deserialize)]
struct Viewer {
    click: Vec<f64>,
    address: Vec<f64>,
    bytes: Vec<f64>,
    scroll: Vec<f64>,
}

/// Of the long list.
#[derive(Debug, Deserialize)]
struct List {
    rows: usize,
    answered: Vec<f64>,
}

/// Prints the table to stdout.
pub fn print(
    measured: &Value,
    options: &Options,
    heads: &[Vec<Slice>],
    ohif: &str,
    load_before: &str,
) -> Result<()> {
    let Measured { version: chromium, hemora, ohif: other, list } =
        Measured::deserialize(measured).into_diagnostic()?;
    let slices: Vec<_> = heads.iter().map(|slices| slices.len().to_string()).collect();
    let orthanc = version("Orthanc");
    println!(
        "{} opens of each viewer in turn, each in a browser context with empty caches; studies of {} slices. {} \
         cores. Load before {load_before}, after {}. Chromium {chromium} without flags; \
         WebGL, which OHIF {ohif} needs and Hemora does not, is in software (SwiftShader) where there is no GPU. OHIF reads from {orthanc} by DICOMweb; Hemora opens at the \
         key slice, OHIF at the first.\n",
        options.opens,
        slices.join(", "),
        std::thread::available_parallelism().map_or(1, usize::from),
        load(),
    );
    let head = ["", "OHIF", "Hemora", "times", "goal"].map(str::to_owned).to_vec();
    let mut rows = vec![head];
    let mut add = |what: &str, one: &[f64], our: &[f64], goal: &str, unit: fn(f64) -> String| {
        let [median, late] =
            [0.5, 0.95].map(|share| (percentile(one, share), percentile(our, share)));
        let both = |first: f64, second: f64| format!("{}, {}", unit(first), unit(second));
        let times = format!("{:.1}", median.0 / median.1);
        rows.push(vec![
            what.to_owned(),
            both(median.0, late.0),
            both(median.1, late.1),
            times,
            goal.to_owned(),
        ]);
    };
    let ms: fn(f64) -> String = |value| format!("{value:.0}");
    let mb: fn(f64) -> String = |value| format!("{:.2}", value / 1e6);
    add(
        "click in the list to the first slice, ms (p50, p95)",
        &other.click,
        &hemora.click,
        "≤ 300, 3 times",
        ms,
    );
    add(
        "address of a study to its first slice, ms (p50, p95)",
        &other.address,
        &hemora.address,
        "",
        ms,
    );
    add("bytes until then, MB (p50, p95)", &other.bytes, &hemora.bytes, "", mb);
    let fast = [&other.scroll, &hemora.scroll].map(|values| percentile(values, 0.5));
    rows.push(vec![
        "slices drawn a second while the wheel turns (60 notches a second)".to_owned(),
        format!("{:.0}", fast[0]),
        format!("{:.0}", fast[1]),
        format!("{:.1}", fast[1] / fast[0]),
        "60".to_owned(),
    ]);
    rows.push(vec![
        format!("key in a list of {} rows to the frame that shows it, ms (p50, p95)", list.rows),
        "–".to_owned(),
        format!("{:.0}, {:.0}", percentile(&list.answered, 0.5), percentile(&list.answered, 0.95)),
        "–".to_owned(),
        "≤ 50".to_owned(),
    ]);
    println!("{}", table(&rows));
    Ok(())
}
