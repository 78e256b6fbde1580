//! Metrics with clustered intervals: Hemora beside numpy and scikit-learn.

use std::fs;
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use super::table::table;
use crate::process::{cargo, log, read, run};
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Slices
    #[arg(long, default_value_t = 1_000_000)]
    items: u32,
    /// Resamples of whole patients
    #[arg(long, default_value_t = 1000)]
    repeats: u32,
    /// Resamples that Python does; its time for all is extrapolated
    #[arg(long, default_value_t = 3)]
    python_repeats: u32,
}

/// Measures, and prints a table to stdout.
pub fn eval(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.python_repeats == 0 || options.repeats == 0 || options.items < 1000 {
        return Err(miette!("expected at least one resample and 1000 slices"));
    }
    log("building for release");
    run(cargo(workspace).args(["build", "--release", "--example", "measure_million"]))?;
    let folder = workspace.target().join("bench-eval");
    fs::create_dir_all(&folder).into_diagnostic().wrap_err("cannot make the output folder")?;
    let data = folder.join("slices.bin");
    let program = workspace.target().join("release").join("examples").join("measure_million");
    let [items, repeats] = [options.items, options.repeats].map(|number| number.to_string());
    log("Hemora");
    let mut command = Command::new(program);
    let ours = json(command.args([&items, &repeats]).arg(&data))?;
    log("Python");
    let mut command = Command::new(workspace.peers_python());
    command.arg(workspace.root().join("tools").join("peer_eval.py")).arg(&data);
    command.args(["--items", &items, "--repeats", &options.python_repeats.to_string()]);
    let theirs = json(&mut command)?;
    print!("{}", report(&ours, &theirs, options)?);
    fs::remove_file(&data).into_diagnostic().wrap_err("cannot remove the slices")
}

fn json(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&read(command)?).into_diagnostic().wrap_err("a program printed no JSON")
}

fn report(ours: &Value, theirs: &Value, options: &Options) -> Result<String> {
    let seconds = |value: &Value, name: &str| {
        value[name].as_f64().ok_or_else(|| miette!("a program gave no number `{name}`"))
    };
    let scale = f64::from(options.repeats) / f64::from(options.python_repeats);
    let times = [
        ("metrics of six labels", "metrics_s", 1.0),
        ("with resamples", "bootstrap_s", scale),
        ("metrics, processor time", "metrics_cpu_s", 1.0),
        ("with resamples, processor time", "bootstrap_cpu_s", scale),
    ];
    let head = ["seconds", "Hemora", "numpy, scikit-learn", "ratio"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    for (name, field, scale) in times {
        let (ours, theirs) = (seconds(ours, field)?, seconds(theirs, field)? * scale);
        rows.push(vec![
            name.to_owned(),
            format!("{ours:.2}"),
            format!("{theirs:.1}"),
            format!("{:.0}", theirs / ours),
        ]);
    }
    Ok(format!(
        "{} slices, {} resamples of whole patients, {} cores (scikit-learn uses one)\n\n{}\nPython \
         did {} resamples; its time for all is {scale:.0} times theirs. Processor time tells more than \
         the clock where the machine does something else beside. Largest difference of a \
         figure: {:.1e}.\n",
        options.items,
        options.repeats,
        ours["cores"],
        table(&rows),
        options.python_repeats,
        largest_difference(&ours["values"], &theirs["values"])?
    ))
}

/// The largest difference between figures that both programs gave.
fn largest_difference(ours: &Value, theirs: &Value) -> Result<f64> {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => ours
            .iter()
            .zip(theirs)
            .map(|(one, other)| largest_difference(one, other))
            .try_fold(0.0, |most: f64, difference| Ok(most.max(difference?))),
        (Value::Number(one), Value::Number(other)) => {
            let [one, other] = [one, other].map(|number| number.as_f64().unwrap_or(f64::NAN));
            Ok((one - other).abs())
        }
        _ => Err(miette!("the programs gave different figures")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_is_extrapolated_and_compared() {
        let ours = serde_json::json!({"metrics_s": 0.5, "bootstrap_s": 4.0, "cores": 2,
                                      "metrics_cpu_s": 0.9, "bootstrap_cpu_s": 8.0,
                                      "values": [[0.75, 0.5]]});
        let theirs = serde_json::json!({"metrics_s": 2.0, "bootstrap_s": 6.0,
                                        "metrics_cpu_s": 1.8, "bootstrap_cpu_s": 6.0,
                                        "values": [[0.75, 0.25]]});
        let options = Options { items: 1000, repeats: 100, python_repeats: 3 };
        let text = report(&ours, &theirs, &options).unwrap();
        let line = text.lines().find(|line| line.starts_with("| with resamples")).unwrap();
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!(cells[2..5], ["4.00", "200.0", "50"]);
        assert!(text.contains("2.5e-1"), "{text}");
        let other = serde_json::json!({"metrics_s": 2.0, "bootstrap_s": 6.0, "values": []});
        assert!(report(&ours, &other, &options).is_err());
    }
}
