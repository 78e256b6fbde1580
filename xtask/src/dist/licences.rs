//! Licences of every crate that is linked into the program, from cargo's metadata and the files of each; Rust's
//! own library is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde::Deserialize;

use super::build::FEATURES;
use super::staging::{Entry, entries, read};
use crate::process::{cargo, read as output};
use crate::workspace::Workspace;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Beginnings of the names of files that hold a licence.
const NAMES: [&str; 6] = ["licen", "copying", "notice", "unlicense", "copyright", "ofl"];
/// How deep licences of code that a crate has taken over lie in it.
const DEPTH: usize = 4;

/// Licences whose text is the same for everybody but for the names of the authors, or that ask for no text. A
/// crate without a file of its own may have one of these.
const KNOWN: [&str; 3] = ["MIT", "Apache-2.0", "CC0-1.0"];

/// What cargo knows of the crates.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Crate>,
}

#[derive(Debug, Deserialize)]
struct Crate {
    name: String,
    version: String,
    license: Option<String>,
    license_file: Option<PathBuf>,
    authors: Vec<String>,
    manifest_path: PathBuf,
    source: Option<String>,
}

/// Licences of Hemora and its model, and one file with those of the crates that are linked in.
pub fn gather(workspace: &Workspace) -> Result<Vec<Entry>> {
    let root = workspace.root();
    let mut all = Vec::new();
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        all.push(Entry::new(name, read(&root.join(name))?));
    }
    all.push(Entry::new("MODEL.txt", read(&root.join("deploy").join("model-licence.txt"))?));
    let page = root.join("crates/hemora-serve/page/licences.txt");
    let mut text = third_parties(workspace)?;
    let _ = write!(text, "\n{LINE}\nThe pages of hemora serve\n\n");
    text.push_str(&String::from_utf8_lossy(&read(&page)?));
    all.push(Entry::new("THIRD-PARTY.txt", text));
    Ok(all)
}

const LINE: &str =
    "--------------------------------------------------------------------------------";

fn third_parties(workspace: &Workspace) -> Result<String> {
    let linked = linked(workspace)?;
    let mut metadata = cargo(workspace);
    metadata.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET]);
    let metadata: Metadata = serde_json::from_str(&output(&mut metadata)?)
        .into_diagnostic()
        .wrap_err("cargo metadata printed something else than expected")?;
    let is_linked = |one: &&Crate| {
        one.source.is_some() && linked.contains(&(one.name.clone(), one.version.clone()))
    };
    let mut crates: Vec<&Crate> = metadata.packages.iter().filter(is_linked).collect();
    crates.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    write_up(&crates)
}

/// Name and version of every crate whose code is in the program: no build scripts and no macros.
fn linked(workspace: &Workspace) -> Result<BTreeSet<(String, String)>> {
    let mut tree = cargo(workspace);
    tree.args([
        "tree",
        "--locked",
        "--package",
        "hemora",
        "--features",
        FEATURES,
        "--edges",
        "normal,no-proc-macro",
    ]);
    tree.args(["--target", TARGET, "--prefix", "none", "--format", "{p}"]);
    let name_and_version = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    };
    Ok(output(&mut tree)?.lines().filter_map(name_and_version).collect())
}

/// The list of the crates, then each text once with the crates that it belongs to.
fn write_up(crates: &[&Crate]) -> Result<String> {
    let mut list = String::from(
        "Linked into hemora: the standard library of Rust (MIT OR Apache-2.0, by the Rust Project Developers; what it \
         holds of others stands in COPYRIGHT-library.html of each toolchain), and these crates, with their licences \
         (SPDX expressions):\n\n",
    );
    // By text, in the order of the first crate that has it.
    let mut texts: Vec<(String, Vec<String>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for one in crates {
        let files = files(one)?;
        let licence = one
            .license
            .clone()
            .or_else(|| one.license_file.as_ref().map(|_| "its own, below".to_owned()));
        let Some(licence) = licence else { return Err(without(one, "names no licence")) };
        let _ = write!(list, "{} {}: {licence}", one.name, one.version);
        if files.is_empty() {
            if !is_known(&licence) {
                return Err(without(one, &format!("has no text of its licence ({licence})")));
            }
            let authors = one.authors.join(", ");
            let by = if authors.is_empty() { String::new() } else { format!(" by {authors}") };
            let _ = write!(list, " (its package holds no text;{by} see the general texts)");
        }
        list.push('\n');
        for (name, text) in files {
            let place = *places.entry(text.clone()).or_insert(texts.len());
            if place == texts.len() {
                texts.push((text, Vec::new()));
            }
            texts[place].1.push(format!("{} {} ({name})", one.name, one.version));
        }
    }
    list.push_str(
        "\nGeneral texts: those of MIT and Apache-2.0 are LICENSE-MIT and LICENSE-APACHE beside this \
         file, with the authors above in place of Hemora's; CC0-1.0 asks for nothing.\n",
    );
    for (text, owners) in texts {
        let _ = write!(list, "\n{LINE}\n{}\n\n{}\n", owners.join(", "), text.trim_end());
    }
    Ok(list)
}

/// Whether one of the licences between which an SPDX expression leaves the choice is a known one. Of several that
/// hold together (`AND`) each would need its text.
fn is_known(expression: &str) -> bool {
    let choices = expression.split(" OR ").flat_map(|choice| choice.split('/'));
    let mut bare = choices.map(|choice| choice.trim_matches(|c| " ()".contains(c)));
    !expression.contains(" AND ") && bare.any(|choice| KNOWN.contains(&choice))
}

fn without(one: &Crate, problem: &str) -> miette::Report {
    miette!(
        help = "a crate that we pass on needs a licence: ask its authors, or take another one",
        "{} {} {problem}",
        one.name,
        one.version
    )
}

/// The licences in a crate's folder: name and text.
fn files(one: &Crate) -> Result<Vec<(String, String)>> {
    let root = one.manifest_path.parent().unwrap_or(Path::new("/"));
    let mut found = Vec::new();
    search(root, DEPTH, &mut found)?;
    if let Some(named) = &one.license_file {
        found.push(root.join(named));
    }
    found.sort();
    found.dedup();
    let text = |path: PathBuf| {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        Ok((name, String::from_utf8_lossy(&read(&path)?).replace('\r', "")))
    };
    found.into_iter().map(text).collect()
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if path.is_dir() && depth > 0 {
            search(&path, depth - 1, found)?;
        } else if path.is_file()
            && NAMES.iter().any(|begin| name.starts_with(begin))
            && is_text(&name)
        {
            found.push(path);
        }
    }
    Ok(())
}

/// Not a source file that happens to be called so, such as `license.rs`.
fn is_text(name: &str) -> bool {
    let code = ["rs", "c", "h", "py", "sh", "toml", "json", "html", "png"];
    name.rsplit_once('.').is_none_or(|(_, ending)| !code.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path, licence: Option<&str>, file: Option<&str>) -> Crate {
        std::fs::create_dir_all(folder.join("third_party")).unwrap();
        if let Some(text) = file {
            std::fs::write(folder.join("third_party").join("LICENSE"), text).unwrap();
        }
        Crate {
            name: "some".to_owned(),
            version: "1.0.0".to_owned(),
            license: licence.map(str::to_owned),
            license_file: None,
            authors: vec!["A. Uthor".to_owned()],
            manifest_path: folder.join("Cargo.toml"),
            source: Some("registry".to_owned()),
        }
    }

    #[test]
    fn every_crate_has_a_licence_and_its_text_or_none_is_packed() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let good = made(&place("good"), Some("BSD-3-Clause"), Some("Permission is given"));
        let known = made(&place("known"), Some("MIT"), None);
        let written = write_up(&[&good, &known]).unwrap();
        assert!(written.contains("Permission is given"), "{written}");
        assert!(written.contains("by A. Uthor"), "{written}");
        let textless = made(&place("textless"), Some("BSD-3-Clause"), None);
        assert!(write_up(&[&textless]).unwrap_err().to_string().contains("some 1.0.0"));
        for (at, both) in
            ["MIT AND BSD-3-Clause", "(MIT OR Apache-2.0) AND IJG", "MIT-0"].iter().enumerate()
        {
            let half = made(&place(&format!("half{at}")), Some(both), None);
            assert!(write_up(&[&half]).unwrap_err().to_string().contains(both), "{both}");
        }
        for (at, choice) in
            ["BSD-3-Clause OR MIT", "MIT/Unlicense", "Apache-2.0"].iter().enumerate()
        {
            let free = made(&place(&format!("free{at}")), Some(choice), None);
            assert!(write_up(&[&free]).is_ok(), "{choice}");
        }
        let nothing = made(&place("nothing"), None, Some("All rights reserved"));
        assert!(write_up(&[&nothing]).unwrap_err().to_string().contains("names no licence"));
    }
}
