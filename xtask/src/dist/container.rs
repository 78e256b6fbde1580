//! What an image of a container is built of: `podman build` takes the folder of the packages.

use std::path::Path;

use miette::{IntoDiagnostic, Result, WrapErr};

use crate::workspace::Workspace;

/// Puts Containerfile and configuration beside the archive.
pub fn write(workspace: &Workspace, out: &Path) -> Result<()> {
    for name in ["Containerfile", "hemora.toml"] {
        let from = workspace.root().join("deploy").join(name);
        std::fs::copy(&from, out.join(name))
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}

/// The commands of a Containerfile's `RUN` steps, with continued lines joined.
pub fn steps(containerfile: &str) -> Vec<String> {
    let joined = containerfile.replace("\\\n", " ");
    let steps = joined.lines().filter_map(|line| line.strip_prefix("RUN "));
    steps.map(|step| step.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_containerfile_are_found() {
        let made = steps("FROM debian\nRUN one && \\\n    two\nUSER hemora\n");
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].split_whitespace().collect::<Vec<_>>(), ["one", "&&", "two"]);
    }
}
