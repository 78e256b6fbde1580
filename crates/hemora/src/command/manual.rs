//! `hemora manual`: man pages and completions of shells, made of the definitions of the flags.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use hemora_base::ExitStatus;
use miette::{IntoDiagnostic, Result, WrapErr};

use crate::cli::{Cli, ManualArgs};
use crate::output::{make_folder, print, write_whole};

/// Where each shell looks for completions below a folder such as /usr/share.
const COMPLETIONS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "hemora"),
    (Shell::Zsh, "zsh/site-functions", "_hemora"),
    (Shell::Fish, "fish/vendor_completions.d", "hemora.fish"),
];

/// Runs the command.
///
/// # Errors
/// A report that names the file that cannot be written.
pub fn run(arguments: &ManualArgs) -> Result<ExitStatus> {
    let out = &arguments.out;
    for (shell, folder, name) in COMPLETIONS {
        let folder = out.join(folder);
        make_folder(&folder)?;
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "hemora", &mut text);
        write_whole(&folder.join(name), |file| file.write_all(&text))?;
    }
    let pages = write_pages(out)?;
    print(|output| {
        writeln!(output, "{pages} man pages, completions of bash, zsh and fish: {}", out.display())
    })?;
    Ok(ExitStatus::Success)
}

/// Writes a man page for the program and each command; returns how many pages there are.
fn write_pages(out: &Path) -> Result<usize> {
    let folder = out.join("man/man1");
    make_folder(&folder)?;
    let failed = || format!("cannot write the man pages into {}", folder.display());
    clap_mangen::generate_to(Cli::command(), &folder).into_diagnostic().wrap_err_with(failed)?;
    let files = std::fs::read_dir(&folder).into_diagnostic().wrap_err_with(failed)?;
    // Pages of other programs may be there too.
    let is_ours = |name: &str| name == "hemora.1" || name.starts_with("hemora-");
    Ok(files.flatten().filter(|file| file.file_name().to_str().is_some_and(is_ours)).count())
}
