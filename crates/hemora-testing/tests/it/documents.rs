//! The documents: their links lead somewhere, and the sections that comments cite exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Files below `folder` with one of the extensions, build output left out.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let extension = entry.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if entry.is_dir() && !entry.ends_with("target") {
            found.extend(files(&entry, extensions));
        } else if extensions.contains(&extension) {
            found.push(entry);
        }
    }
    found
}

fn documents() -> Vec<PathBuf> {
    let root = workspace();
    let top = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"];
    let top = top.into_iter().map(|name| root.join(name));
    top.chain(files(&root.join("docs"), &["md"])).collect()
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(document: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(document).unwrap();
    let mut in_code = false;
    let headings = text.lines().filter(|line| {
        in_code ^= line.starts_with("```");
        !in_code && line.starts_with('#')
    });
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

/// Targets of links `[…](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => document.clone(),
                _ => document.parent().unwrap().join(file),
            };
            let is_document = target.extension().is_some_and(|it| it == "md");
            let is_whole = target.exists()
                && (section.is_empty() || !is_document || anchors(&target).contains(section));
            checked += 1;
            if !is_whole {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(checked > 50, "only {checked} links were seen");
}

#[test]
fn cited_sections_of_the_references_exist() {
    let root = workspace();
    let sections = anchors(&root.join("docs/references.md"));
    let mut cited = BTreeSet::new();
    for folder in ["crates", "tools", "xtask"] {
        for file in files(&root.join(folder), &["rs", "py", "toml"]) {
            // This file writes the marker without citing anything.
            if file.ends_with("tests/it/documents.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for rest in text.split("docs/references.md#").skip(1) {
                let letter = |it: &char| it.is_alphanumeric() || *it == '-';
                let section: String = rest.chars().take_while(letter).collect();
                assert!(sections.contains(&section), "{} cites #{section}", file.display());
                cited.insert(section);
            }
        }
    }
    assert!(cited.contains("winner"), "{cited:?}");
}
