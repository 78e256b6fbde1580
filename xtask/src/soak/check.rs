//! What is to hold after all kills.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use hemora_dimse::Object as Part10;
use miette::{IntoDiagnostic, Result, WrapErr};
use serde::Deserialize;
use serde_json::Value;

use super::archive::Object;
use super::files::Image;
use crate::process::read;
use crate::workspace::Workspace;

/// Comprehensive 3D SR Storage.
const SR: &str = "1.2.840.10008.5.1.4.1.1.88.34";

/// What the node calls its delivery.
const SR_KIND: &str = "structured report";

/// What was sent. By the end of the sending all of it is acknowledged.
pub struct Sent<'a> {
    /// The images.
    pub images: &'a [Image],
    /// Associations that broke.
    pub broken: usize,
    /// Answers other than success.
    pub refused: usize,
}

/// Rows of the node's database, as `tools/soak_rows.py` prints them.
#[derive(Debug, Clone, Default, Deserialize)]
struct Rows {
    rows: usize,
    sops: usize,
    results: usize,
    revisions: usize,
    jobs: usize,
    deliveries: Vec<Delivery>,
}

#[derive(Debug, Clone, Deserialize)]
struct Delivery {
    study: String,
    revision: u32,
    kind: String,
    state: String,
    /// SOPInstanceUID of what is sent.
    sop: Option<String>,
}

/// A figure, and what it has to be where that matters.
struct Finding {
    what: &'static str,
    found: usize,
    wanted: Option<usize>,
}

/// Everything that was looked at.
#[derive(Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Looks at the data folder of a node that has ended, at its `studies` as the API gave them, and at
    /// what `arrived` in the archive.
    pub fn collect(
        workspace: &Workspace,
        folder: &Path,
        sent: &Sent<'_>,
        studies: &[Value],
        arrived: &[Object],
    ) -> Result<Self> {
        let mut command = Command::new(workspace.peers_python());
        command.arg(workspace.root().join("tools").join("soak_rows.py")).arg(folder.join("node"));
        let rows: Rows = serde_json::from_str(&read(&mut command)?).into_diagnostic()?;
        let mut findings = Self::default();
        let (count, mut files) = (sent.images.len(), Files::default());
        files.compare(&folder.join("node").join("studies"), sent.images)?;
        findings.say("images sent and acknowledged", count);
        findings.say("associations that broke and were opened again", sent.broken);
        findings.check("answers other than success", sent.refused, 0);
        findings.check("acknowledged and lost", files.lost, 0);
        findings.check("not byte for byte as sent", files.different, 0);
        findings.check("files that nobody sent, or a second time", files.more, 0);
        findings.check("rows of images", rows.rows, count);
        findings.check("distinct images of these", rows.sops, count);
        let wrong = studies.iter().filter(|study| !has_all_images(study, sent.images)).count();
        findings.say("studies", studies.len());
        findings.check("of these with a wrong number of images", wrong, 0);
        findings.check("jobs that are left", rows.jobs, 0);
        findings.results(&rows);
        let heads = sent.images.iter().filter(|image| !image.name.localizer);
        let heads: BTreeSet<usize> = heads.map(|image| image.name.study).collect();
        findings.reports(&rows.deliveries, arrived, heads.len());
        Ok(findings)
    }

    fn say(&mut self, what: &'static str, found: usize) {
        self.0.push(Finding { what, found, wanted: None });
    }

    fn check(&mut self, what: &'static str, found: usize, wanted: usize) {
        self.0.push(Finding { what, found, wanted: Some(wanted) });
    }

    fn results(&mut self, rows: &Rows) {
        self.say("results", rows.results);
        self.check("revisions with two results", rows.results - rows.revisions, 0);
    }

    fn reports(&mut self, deliveries: &[Delivery], arrived: &[Object], heads: usize) {
        let of_kind = deliveries.iter().filter(|delivery| delivery.kind == SR_KIND);
        let mut named: BTreeMap<(&str, u32), BTreeSet<&str>> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for delivery in of_kind.clone() {
            let names = named.entry((&delivery.study, delivery.revision)).or_default();
            if let Some(sop) = &delivery.sop {
                names.insert(sop);
                known.insert((delivery.study.as_str(), sop.as_str()));
            }
        }
        let mut contents: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        let reports = || arrived.iter().filter(|object| object.class == SR);
        for object in reports() {
            contents.entry((&object.study, &object.sop)).or_default().insert(&object.sha256);
        }
        let twice = named.values().filter(|names| names.len() > 1).count();
        let unknown = contents.keys().filter(|key| !known.contains(*key)).count();
        let changed = contents.values().filter(|contents| contents.len() > 1).count();
        let delivered = of_kind.clone().filter(|delivery| delivery.state == "delivered");
        let missing = delivered.clone().filter(|delivery| {
            let sop = delivery.sop.as_deref().unwrap_or_default();
            !contents.contains_key(&(delivery.study.as_str(), sop))
        });
        let studies: BTreeSet<_> = delivered.clone().map(|delivery| &delivery.study).collect();
        self.check("studies with a delivered SR", studies.len(), heads);
        self.say("revisions with a delivered SR", delivered.clone().count());
        self.say("SRs that arrived, with those sent again", reports().count());
        self.say("distinct ones of these", contents.len());
        self.check("revisions with two SRs", twice, 0);
        self.check("SRs that arrived and belong to no revision", unknown, 0);
        self.check("SRs sent again with other content", changed, 0);
        self.check("SRs held to be delivered that did not arrive", missing.count(), 0);
        let open =
            deliveries.iter().filter(|it| !["delivered", "superseded"].contains(&&*it.state));
        self.check("deliveries that are left", open.count(), 0);
    }

    /// How many checks do not hold.
    pub fn failed(&self) -> usize {
        let fails = |it: &&Finding| it.wanted.is_some_and(|wanted| wanted != it.found);
        self.0.iter().filter(fails).count()
    }

    /// Rows of a table: what, found, wanted.
    pub fn rows(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        self.0.iter().map(|it| {
            let wanted = it.wanted.map(|wanted| wanted.to_string()).unwrap_or_default();
            vec![it.what.to_owned(), it.found.to_string(), wanted]
        })
    }
}

fn has_all_images(study: &Value, images: &[Image]) -> bool {
    let uid = study["study_instance_uid"].as_str().unwrap_or_default();
    let sent = images.iter().filter(|image| image.name.study_uid() == uid).count();
    study["images"] == sent
}

/// What lies in the node's folder, beside what was sent.
#[derive(Debug, Default)]
struct Files {
    lost: usize,
    different: usize,
    more: usize,
}

impl Files {
    fn compare(&mut self, folder: &Path, images: &[Image]) -> Result<()> {
        let mut left: BTreeMap<String, &Path> =
            images.iter().map(|it| (it.name.sop_uid(), it.path.as_path())).collect();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_diagnostic()? {
                let path = entry.into_diagnostic()?.path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => self.file(path, &mut left)?,
                }
            }
        }
        self.lost += left.len();
        Ok(())
    }

    fn file(&mut self, path: PathBuf, left: &mut BTreeMap<String, &Path>) -> Result<()> {
        let part10 = |path: &Path| -> Result<Part10> {
            let bytes = std::fs::read(path).into_diagnostic()?;
            Part10::from_part10(&bytes)
                .into_diagnostic()
                .wrap_err_with(|| path.display().to_string())
        };
        // What is damaged is lost, unless another file has the image.
        let Ok(found) = part10(&path) else {
            self.different += 1;
            return Ok(());
        };
        match left.remove(&found.sop_instance_uid) {
            None => self.more += 1,
            Some(sent) => self.different += usize::from(part10(sent)?.data_set != found.data_set),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Name;

    fn delivery(revision: u32, state: &str, sop: &str) -> Delivery {
        let [study, kind] = ["1.2", SR_KIND].map(str::to_owned);
        Delivery { study, revision, kind, state: state.to_owned(), sop: Some(sop.to_owned()) }
    }

    fn object(sop: &str, sha256: &str) -> Object {
        let [study, class] = ["1.2", SR].map(str::to_owned);
        Object { study, class, sop: sop.to_owned(), sha256: sha256.to_owned() }
    }

    fn failed(deliveries: &[Delivery], arrived: &[Object]) -> Vec<&'static str> {
        let mut findings = Findings::default();
        findings.reports(deliveries, arrived, 1);
        let failed = findings.0.iter().filter(|it| it.wanted.is_some_and(|it2| it2 != it.found));
        failed.map(|it| it.what).collect()
    }

    #[test]
    fn files_are_compared_behind_their_meta_headers() {
        let folder = tempfile::tempdir().unwrap();
        let part10 = |sop: &str, source: &str, data_set: &[u8]| {
            let mut meta = Vec::new();
            for (number, vr, value) in [
                (2, b"UI", "1.2.840.10008.5.1.4.1.1.2\0"),
                (3, b"UI", sop),
                (0x10, b"UI", "1.2.840.10008.1.2.1\0"),
                (0x16, b"AE", source),
            ] {
                meta.extend([2, 0, number, 0, vr[0], vr[1], value.len() as u8, 0]);
                meta.extend(value.as_bytes());
            }
            let length = (meta.len() as u32).to_le_bytes();
            let head = [&[0; 128], &b"DICM\x02\0\0\0UL\x04\0"[..], &length].concat();
            [&head, &meta[..], data_set].concat()
        };
        let data_set = b"\x08\0\x60\0CS\x02\0CT";
        let mut images = Vec::new();
        for image in 0..3 {
            let name = Name { study: 0, image, localizer: false };
            let path = folder.path().join(format!("{image}.dcm"));
            std::fs::write(&path, part10(&name.sop_uid(), "CT1 ", data_set)).unwrap();
            images.push(Image { name, path });
        }
        let found = folder.path().join("found/ab");
        std::fs::create_dir_all(&found).unwrap();
        let write = |file: &str, image: usize, data_set: &[u8]| {
            let bytes = part10(&images[image].name.sop_uid(), "STORESCU", data_set);
            std::fs::write(found.join(file), bytes).unwrap();
        };
        write("a", 0, data_set);
        write("b", 0, data_set);
        write("c", 1, b"\x08\0\x60\0CS\x02\0MR");
        let mut files = Files::default();
        files.compare(&folder.path().join("found"), &images).unwrap();
        assert_eq!((files.lost, files.different, files.more), (1, 1, 1));
    }

    #[test]
    fn a_report_sent_again_is_one_and_another_of_the_revision_is_two() {
        let delivered = [delivery(1, "superseded", "1.3"), delivery(2, "delivered", "1.4")];
        let (first, second) = (object("1.3", "a"), object("1.4", "b"));
        assert!(failed(&delivered, &[second.clone(), second.clone()]).is_empty());
        assert!(failed(&delivered, &[first.clone(), second.clone()]).is_empty());
        let other = failed(&delivered, &[second.clone(), object("1.5", "c")]);
        assert_eq!(other, ["SRs that arrived and belong to no revision"]);
        let changed = failed(&delivered, &[second, object("1.4", "c")]);
        assert_eq!(changed, ["SRs sent again with other content"]);
        let missing = failed(&delivered, &[first]);
        assert_eq!(missing, ["SRs held to be delivered that did not arrive"]);
    }
}
