//! The sections of a configuration and their defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use hemora_ct::Label;
use hemora_dimse::AeTitle;
use hemora_infer::EngineKind;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Destination, units};

/// The node itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeSection {
    /// Name of the node, where several share one database: no other has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// AE title under which the node is called, and calls others.
    pub ae_title: String,
    /// Folder of images and database.
    pub data: PathBuf,
    /// Whether an answer waits for the disk.
    pub durability: Durability,
    /// Under which protocol people act on the results, and who answers for it. Without it nothing that
    /// changes the order of a list or alerts people is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub research_protocol: Option<String>,
}

impl Default for NodeSection {
    fn default() -> Self {
        Self {
            name: None,
            ae_title: "HEMORA".to_owned(),
            data: "hemora-node".into(),
            durability: Durability::Power,
            research_protocol: None,
        }
    }
}

/// What an image has survived when it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The end of power: it is on the disk.
    #[default]
    Power,
    /// The end of the program: it is with the operating system.
    Process,
}

/// The DICOM listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DicomSection {
    /// Address to listen at. Beyond this machine only with `known_peers`.
    pub listen: SocketAddr,
    /// Who may send; empty: whoever is on this machine.
    pub known_peers: Vec<KnownPeer>,
    /// Whether only calls to `ae_title` are taken.
    pub only_called: bool,
    /// Associations at once.
    pub max_associations: usize,
    /// Associations of one address at once.
    pub max_associations_per_peer: usize,
    /// Largest image, bytes.
    #[serde(with = "units::size")]
    pub max_instance: ByteSize,
    /// How long is waited.
    pub timeouts: AssociationTimeouts,
}

/// How long a peer may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AssociationTimeouts {
    /// For its request.
    #[serde(with = "units")]
    pub association: Duration,
    /// Between two messages.
    #[serde(with = "units")]
    pub idle: Duration,
    /// For one image.
    #[serde(with = "units")]
    pub store: Duration,
}

impl Default for AssociationTimeouts {
    fn default() -> Self {
        let five_minutes = Duration::from_secs(300);
        let association = Duration::from_secs(5);
        Self { association, idle: five_minutes, store: five_minutes }
    }
}

/// A sender that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownPeer {
    /// Its AE title.
    pub ae: String,
    /// Its address, or a name that resolves to it.
    pub host: String,
}

impl Default for DicomSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 11112)),
            known_peers: Vec::new(),
            only_called: false,
            max_associations: 32,
            max_associations_per_peer: 8,
            max_instance: ByteSize::mib(512),
            timeouts: AssociationTimeouts::default(),
        }
    }
}

impl DicomSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !self.listen.ip().is_loopback() && self.known_peers.is_empty() {
            let problem = format!(
                "is {}, which others can reach, and nobody is known: list the senders in \
                 `known_peers = [{{ ae = \"CT1\", host = \"10.1.2.3\" }}]`, or listen at 127.0.0.1",
                self.listen
            );
            return Err(ConfigError::value("dicom.listen", problem));
        }
        for peer in &self.known_peers {
            check_ae("dicom.known_peers.ae", &peer.ae)?;
        }
        if self.max_associations == 0 || self.max_associations_per_peer == 0 {
            return Err(ConfigError::value("dicom.max_associations", "must be at least 1"));
        }
        Ok(())
    }
}

/// An AE title of DICOM.
pub(super) fn check_ae(key: &str, ae: &str) -> Result<AeTitle, ConfigError> {
    ae.parse().map_err(|error| ConfigError::value(key, format!("is {ae:?}: {error}")))
}

/// When a study is held to be complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettleSection {
    /// After the end of every association that brought images of it.
    #[serde(with = "units")]
    pub quiet: Duration,
    /// After its last image, while an association is open.
    #[serde(with = "units")]
    pub quiet_open: Duration,
    /// After its first image, whatever else comes; the result says that it may be incomplete.
    #[serde(with = "units")]
    pub longest: Duration,
    /// Name of the DICOM destination that is asked how many images it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_from: Option<String>,
}

impl Default for SettleSection {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { quiet: seconds(4), quiet_open: seconds(30), longest: seconds(600), count_from: None }
    }
}

impl SettleSection {
    fn names(&self, destination: &Destination) -> bool {
        matches!(destination, Destination::Dicom(it) if Some(&it.name) == self.count_from.as_ref())
    }

    pub(super) fn check(&self, destinations: &[Destination]) -> Result<(), ConfigError> {
        let Some(name) = &self.count_from else { return Ok(()) };
        match destinations.iter().any(|it| self.names(it)) {
            true => Ok(()),
            false => {
                let problem = format!("is {name:?}, and no DICOM destination has that name");
                Err(ConfigError::value("settle.count_from", problem))
            }
        }
    }
}

/// Scoring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreSection {
    /// Model bundle; the built-in one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<PathBuf>,
    /// Engine: auto, tract or onnxruntime.
    #[serde(with = "engine")]
    pub engine: EngineKind,
    /// Threads, 0 for one per core.
    pub threads: usize,
    /// Thresholds of this site. Without them those of the model for studies hold, and where it has none
    /// the node's own, which no one has measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
}

impl Default for ScoreSection {
    fn default() -> Self {
        Self { model: None, engine: EngineKind::Auto, threads: 0, thresholds: None }
    }
}

impl ScoreSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.thresholds.as_ref().map_or(Ok(()), Thresholds::check)
    }
}

/// Absent below the first probability, present from the second on, and not sure between.
pub type Band = [f64; 2];

/// Thresholds of a site, and who answers for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Who set them.
    pub who: String,
    /// Why, and on what they were chosen.
    pub why: String,
    /// Of any hemorrhage: it decides the class of a study.
    pub any: Band,
    /// Of the subtypes by their names; those without have the thresholds of `any`.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub subtypes: std::collections::BTreeMap<Label, Band>,
}

impl Thresholds {
    /// The thresholds of a label.
    pub fn band(&self, label: Label) -> Band {
        self.subtypes.get(&label).copied().filter(|_| label != Label::Any).unwrap_or(self.any)
    }

    /// Checks that they are probabilities in order, and that somebody answers for them.
    ///
    /// # Errors
    /// [`ConfigError::Value`] names what is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (key, text) in [("who", &self.who), ("why", &self.why)] {
            if text.trim().is_empty() {
                let problem = "is empty: thresholds are set with a name and a reason";
                return Err(ConfigError::value(format!("score.thresholds.{key}"), problem));
            }
        }
        for (label, [low, high]) in std::iter::once((Label::Any, self.any))
            .chain(self.subtypes.iter().map(|(l, b)| (*l, *b)))
        {
            if !(0.0 <= low && low <= high && high <= 1.0) {
                let problem = format!(
                    "is [{low}, {high}]: give two probabilities from 0 to 1, the lower one first"
                );
                return Err(ConfigError::value(format!("score.thresholds.{label}"), problem));
            }
        }
        Ok(())
    }
}

/// What is kept. Results stay; an image goes when its study is delivered and one of these is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeepSection {
    /// Age of images after which they go.
    #[serde(with = "units")]
    pub images: Duration,
    /// Bytes of images above which the oldest go.
    #[serde(with = "units::size")]
    pub at_most: ByteSize,
    /// Free bytes of the disk below which nothing more is taken.
    #[serde(with = "units::size")]
    pub reserve: ByteSize,
}

impl Default for KeepSection {
    fn default() -> Self {
        Self {
            images: Duration::from_secs(14 * 24 * 3600),
            at_most: ByteSize::gib(500),
            reserve: ByteSize::gib(2),
        }
    }
}

impl KeepSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.at_most.0 {
            0 => Err(ConfigError::value("keep.at_most", "is 0: nothing could be kept")),
            _ => Ok(()),
        }
    }
}

/// Engines by their names.
mod engine {
    use super::EngineKind;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &EngineKind, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<EngineKind, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
