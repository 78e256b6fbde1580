//! Data to measure with, and the figures that programs print.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use super::measure::median;
use crate::process::{cargo, log, read, run};
use crate::workspace::Workspace;

/// The programs of `hemora-data`'s examples and the folder that they work in.
pub struct Data {
    programs: PathBuf,
    folder: PathBuf,
}

impl Data {
    /// Builds the programs; `folder` is made within the target folder.
    pub fn build(workspace: &Workspace, folder: &str) -> Result<Self> {
        log("building for release");
        // With all default members, whose dependencies a plain release build has compiled.
        run(cargo(workspace).args(["build", "--release", "--examples"]))?;
        let (programs, folder) =
            (workspace.target().join("release/examples"), workspace.target().join(folder));
        Ok(Self { programs, folder })
    }

    /// One of the programs.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    /// The figures that a program prints.
    pub fn figures(command: &mut Command) -> Result<Value> {
        json(&read(command)?)
    }

    /// Phantoms and their label table, the same every time; kept from run to run.
    pub fn phantoms(&self, patients: usize, size: usize) -> Result<(PathBuf, PathBuf)> {
        let folder = self.folder.join(format!("phantoms-{patients}-{size}"));
        // The table is written last: where it is, everything is there.
        if !folder.join("stage_2_train.csv").is_file() {
            log(format!("making {patients} phantom patients of {size} × {size} pixels"));
            let mut command = self.program("prepare_bench");
            command.args(["phantoms", &patients.to_string(), &size.to_string()]).arg(&folder);
            read(&mut command)?;
        }
        Ok((folder.join("stage_2_train"), folder.join("stage_2_train.csv")))
    }

    /// As many slices as wanted, small, and their label table.
    pub fn copies(&self, slices: usize) -> Result<(PathBuf, PathBuf)> {
        let (_, table) = self.phantoms(30, 64)?;
        let folder = self.folder.join(format!("copies-{slices}"));
        if !folder.join("stage_2_train.csv").is_file() {
            log(format!("making {slices} small slices"));
            let mut command = self.program("prepare_bench");
            command.arg("copies").arg(table.with_file_name("")).arg(slices.to_string());
            read(command.arg(&folder))?;
        }
        Ok((folder.join("stage_2_train"), folder.join("stage_2_train.csv")))
    }

    /// An empty folder.
    pub fn empty(&self, name: &str) -> Result<PathBuf> {
        empty(&self.folder.join(name))
    }
}

/// Makes a folder empty.
pub fn empty(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).into_diagnostic().wrap_err("cannot remove old results")?;
    }
    fs::create_dir_all(folder).into_diagnostic().wrap_err("cannot make the output folder")?;
    Ok(folder.to_owned())
}

/// What a program wrote as JSON.
pub fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).into_diagnostic().wrap_err("the program printed no JSON")
}

/// The median of a figure over the runs.
pub fn figure(runs: &[Value], name: &str) -> Result<f64> {
    let values: Option<Vec<f64>> = runs.iter().map(|run| run[name].as_f64()).collect();
    let values = values.filter(|values| !values.is_empty());
    values.map(|values| median(&values)).ok_or_else(|| miette!("a run has no number `{name}`"))
}

/// The absolute form of a path that a user gave.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).into_diagnostic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_medians_of_numbers() {
        let runs = [3.0, 1.0, 2.0].map(|value| serde_json::json!({"total_s": value}));
        assert_eq!(figure(&runs, "total_s").unwrap(), 2.0);
        assert!(figure(&runs, "cpu_s").is_err());
        assert!(figure(&[], "total_s").is_err());
    }
}
