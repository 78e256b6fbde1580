//! Runs one program several times and reads what it reports of itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use crate::process::typed;

/// Probability of each label of each slice, by "SOPInstanceUID label".
pub type Probabilities = BTreeMap<String, f64>;

/// One program's runs on one study.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What the table calls it.
    pub name: String,
    /// Whole life of each process, seconds.
    pub process_s: Vec<f64>,
    /// The same of one run with nothing in the page cache; `None` where it cannot be emptied.
    pub cold_s: Option<f64>,
    /// Reading, scoring and reporting, after start-up and loading the model, seconds.
    pub ready_s: Vec<f64>,
    /// Scoring alone, seconds.
    pub score_s: Vec<f64>,
    /// What it found.
    pub probabilities: Probabilities,
}

/// A program to measure, and the two files that it leaves.
#[derive(Debug)]
pub struct Program {
    /// What the table calls it.
    pub name: String,
    /// How it is started.
    pub command: Command,
    /// Its seconds: `load_s`, `collect_s`, `score_s`, `report_s`, `total_s`.
    pub timings: PathBuf,
    /// Its result, with `sop_instance_uid` and `probabilities` of every slice.
    pub result: PathBuf,
}

impl Program {
    /// Triage of `input` by this hemora, which leaves everything in `out`; flags may follow.
    pub fn hemora(program: &Path, input: &Path, out: &Path) -> Self {
        let (timings, result) = (out.join("timings.json"), out.join("result"));
        let mut command = Command::new(program);
        command.arg("triage").arg(input).arg("--out").arg(&result).arg("--timings").arg(&timings);
        Self { name: "Hemora".to_owned(), command, timings, result: result.join("result.json") }
    }

    /// Runs it once from the disk where the page cache can be emptied, then `repeats` times, one
    /// after the other.
    pub fn measure(mut self, repeats: usize) -> Result<Measured> {
        let cold_s = if empty_page_cache() { Some(self.run()?) } else { None };
        let mut measured = Measured {
            name: self.name.clone(),
            process_s: Vec::new(),
            cold_s,
            ready_s: Vec::new(),
            score_s: Vec::new(),
            probabilities: Probabilities::new(),
        };
        for _ in 0..repeats {
            let seconds = self.run()?;
            let timings = read_json(&self.timings)?;
            let phase = |name: &str| {
                timings[name]
                    .as_f64()
                    .ok_or_else(|| miette!("{} has no number `{name}`", self.timings.display()))
            };
            measured.process_s.push(seconds);
            measured.ready_s.push(phase("collect_s")? + phase("score_s")? + phase("report_s")?);
            measured.score_s.push(phase("score_s")?);
        }
        measured.probabilities = probabilities(&self.result)?;
        Ok(measured)
    }

    /// Runs it once; seconds from its start to its end.
    pub fn run(&mut self) -> Result<f64> {
        let started = Instant::now();
        let output = self.command.stdin(Stdio::null()).output().into_diagnostic();
        let seconds = started.elapsed().as_secs_f64();
        let line = typed(&self.command);
        let output = output.wrap_err_with(|| format!("cannot start `{line}`"))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(miette!("`{line}` ended with {}:\n{errors}", output.status));
        }
        Ok(seconds)
    }
}

/// Whether the system gave up what it keeps of files in memory, which only root may ask for.
fn empty_page_cache() -> bool {
    let synced = std::process::Command::new("sync").status();
    synced.is_ok_and(|status| status.success())
        && std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// The middle value; of an even number of values the higher of the two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The largest difference; an error when the two did not score the same slices.
pub fn largest_difference(one: &Probabilities, other: &Probabilities) -> Result<f64> {
    if !one.keys().eq(other.keys()) {
        let counts = (one.len(), other.len());
        return Err(miette!("the programs gave different slices: {counts:?} probabilities"));
    }
    Ok(one.values().zip(other.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
}

/// A file of JSON.
pub fn read_json(path: &Path) -> Result<Value> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {shown}"))?;
    serde_json::from_str(&text).into_diagnostic().wrap_err_with(|| format!("{shown} is not JSON"))
}

/// What a result says of each slice.
pub fn probabilities(result: &Path) -> Result<Probabilities> {
    let mut found = Probabilities::new();
    collect(&read_json(result)?, &mut found);
    match found.is_empty() {
        true => Err(miette!("{} has no slices", result.display())),
        false => Ok(found),
    }
}

/// Finds the slices wherever they stand: the two programs nest them differently.
fn collect(value: &Value, probabilities: &mut Probabilities) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, probabilities)),
        Value::Object(fields) => {
            let slice = fields.get("sop_instance_uid").and_then(Value::as_str);
            let scores = fields.get("probabilities").and_then(Value::as_object);
            if let (Some(slice), Some(scores)) = (slice, scores) {
                for (label, score) in scores {
                    let score = score.as_f64().unwrap_or(f64::NAN);
                    probabilities.insert(format!("{slice} {label}"), score);
                }
            } else {
                fields.values().for_each(|field| collect(field, probabilities));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Probabilities {
        let mut probabilities = Probabilities::new();
        collect(&serde_json::from_str(json).unwrap(), &mut probabilities);
        probabilities
    }

    #[test]
    fn slices_are_found_at_any_depth_and_studies_are_not_slices() {
        let nested = r#"{"studies": [{"probabilities": {"any": 0.9}, "series": [{"slices": [
            {"sop_instance_uid": "1.2", "probabilities": {"any": 0.5, "subdural": 0.25}}]}]}]}"#;
        let flat = r#"{"slices": [
            {"sop_instance_uid": "1.2", "probabilities": {"any": 0.75, "subdural": 0.25}}]}"#;
        assert_eq!(found(nested).len(), 2);
        assert_eq!(largest_difference(&found(nested), &found(flat)).unwrap(), 0.25);
    }

    #[test]
    fn different_slices_are_no_comparison() {
        let one = found(r#"[{"sop_instance_uid": "1", "probabilities": {"any": 0.5}}]"#);
        let two = found(r#"[{"sop_instance_uid": "2", "probabilities": {"any": 0.5}}]"#);
        assert!(largest_difference(&one, &two).is_err());
    }

    #[test]
    fn the_median_ignores_one_slow_run() {
        assert_eq!(median(&[1.0, 90.0, 2.0, 3.0, 2.5]), 2.5);
    }
}
