//! The environment variables that building, testing and running need.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::workspace::Workspace;
use crate::{peers, torch};

/// Where the system's loader looks for libraries first.
const LIBRARY_PATH: &str =
    if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };

/// The variables of a workspace that is set up. What the developer has set stays as it is.
#[derive(Debug, Clone)]
pub struct Environment {
    library_folders: Vec<PathBuf>,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Environment {
    /// Reads where set-up has put things; an error when it has not run.
    pub fn from_workspace(workspace: &Workspace) -> Result<Self> {
        let libtorch = torch::own_libtorch(workspace).unwrap_or_else(|| torch::libtorch(workspace));
        let onnxruntime = peers::onnxruntime(workspace);
        let (Some(onnxruntime), true) = (onnxruntime, libtorch.is_dir()) else {
            return Err(miette!(
                help = "run `cargo xtask setup` first",
                "{} is not set up",
                workspace.root().join(".env").display()
            ));
        };
        let found = [
            ("LIBTORCH", libtorch),
            ("HEMORA_PEERS_PYTHON", workspace.peers_python()),
            ("HEMORA_ONNXRUNTIME", onnxruntime),
        ];
        let variables =
            found.map(|(name, ours)| (name, std::env::var_os(name).map_or(ours, PathBuf::from)));
        Ok(Self {
            library_folders: torch::library_folders(workspace),
            variables: variables.to_vec(),
        })
    }

    /// Sets the variables for `command`.
    pub fn apply(&self, command: &mut Command) -> Result<()> {
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.env(LIBRARY_PATH, self.library_path()?);
        Ok(())
    }

    /// The libraries' folders, then those that were named before.
    fn library_path(&self) -> Result<OsString> {
        let before = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
        let before = std::env::split_paths(&before)
            .filter(|path| !path.as_os_str().is_empty() && !self.library_folders.contains(path));
        std::env::join_paths(self.library_folders.iter().cloned().chain(before))
            .into_diagnostic()
            .wrap_err("a folder's name has a colon, which no library path can hold")
    }

    /// `export` lines for a POSIX shell.
    pub fn export_lines(&self) -> String {
        let mut lines = String::new();
        for (name, value) in &self.variables {
            lines += &format!("export {name}={}\n", quoted(&value.to_string_lossy()));
        }
        let folders: Vec<_> =
            self.library_folders.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        // An empty entry would mean the current folder, so the colon comes only with a value.
        let before = format!("\"${{{LIBRARY_PATH}:+:${LIBRARY_PATH}}}\"");
        lines + &format!("export {LIBRARY_PATH}={}{before}\n", quoted(&folders.join(":")))
    }
}

/// One word for the shell, whatever it holds.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_exported() {
        let odd = "/a folder/it's $HOME";
        let environment = Environment {
            library_folders: vec![PathBuf::from("/one lib"), PathBuf::from("/two")],
            variables: vec![("LIBTORCH", PathBuf::from(odd))],
        };
        let script = format!(
            "{}printf '%s|%s' \"$LIBTORCH\" \"${LIBRARY_PATH}\"",
            environment.export_lines()
        );
        let shell = |before: &str| {
            let mut command = Command::new("sh");
            command.arg("-c").arg(&script).env(LIBRARY_PATH, before);
            String::from_utf8(command.output().unwrap().stdout).unwrap()
        };
        assert_eq!(shell(""), format!("{odd}|/one lib:/two"));
        assert_eq!(shell("/before"), format!("{odd}|/one lib:/two:/before"));
    }
}
