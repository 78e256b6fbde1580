//! Every network of images alone: the built-in engine beside ONNX Runtime.

use std::process::Command;

use miette::{Result, miette};
use serde_json::Value;

use super::data::json;
use super::table::table;
use crate::environment::Environment;
use crate::process::{cargo, log, read, run};
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct NetworksOptions {
    /// Height and width of the images, pixels
    #[arg(long, default_value_t = 256)]
    size: usize,
    /// How often each engine runs for half a second
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    repeats: u8,
}

/// Measures, and prints a table to stdout.
pub fn networks(
    workspace: &Workspace,
    environment: &Environment,
    options: &NetworksOptions,
) -> Result<()> {
    log("building for release");
    run(cargo(workspace).args(["build", "--release", "--examples"]))?;
    log("the networks, one after the other");
    let mut command = Command::new(workspace.target().join("release/examples/network_rates"));
    command.args([options.size.to_string(), options.repeats.to_string()]);
    environment.apply(&mut command)?;
    let rates = json(&read(&mut command)?)?;
    print!("{}", report(&rates, options)?);
    Ok(())
}

fn report(rates: &Value, options: &NetworksOptions) -> Result<String> {
    let head = ["network", "parameters, millions", "tract", "ONNX Runtime", "tract, times as fast"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for rate in rates.as_array().ok_or_else(|| miette!("the program gave no list"))? {
        let (name, number) = (rate["network"].as_str(), |field: &str| rate[field].as_f64());
        let (Some(name), Some(parameters), Some(tract)) =
            (name, number("parameters"), number("tract"))
        else {
            return Err(miette!("the program gave no name or no rate: {rate}"));
        };
        let runtime = number("onnxruntime");
        let shown = |value: Option<f64>, digits| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        rows.push(vec![
            name.to_owned(),
            shown(Some(parameters / 1e6), 1),
            shown(Some(tract), 1),
            shown(runtime, 1),
            shown(runtime.map(|runtime| tract / runtime), 2),
        ]);
    }
    Ok(format!(
        "Images a second on one core, {0} × {0} pixels, medians of {1} turns of each engine.\n\n{2}",
        options.size,
        options.repeats,
        table(&rows)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_stand_side_by_side_and_one_that_is_not_there_is_a_dash() {
        let rates = serde_json::json!([
            {"network": "one", "parameters": 3_400_000, "tract": 90.0, "onnxruntime": 60.0},
            {"network": "two", "parameters": 25_000_000, "tract": 9.0, "onnxruntime": null},
        ]);
        let text = report(&rates, &NetworksOptions { size: 256, repeats: 5 }).unwrap();
        let cells = |name: &str| -> Vec<String> {
            let line = text.lines().find(|line| line.starts_with(&format!("| {name}"))).unwrap();
            line.split('|').map(|cell| cell.trim().to_owned()).collect()
        };
        assert_eq!(cells("one")[2..6], ["3.4", "90.0", "60.0", "1.50"]);
        assert_eq!(cells("two")[2..6], ["25.0", "9.0", "-", "-"]);
        let nothing = serde_json::json!([{"network": "one"}]);
        assert!(report(&nothing, &NetworksOptions { size: 256, repeats: 5 }).is_err());
    }
}
