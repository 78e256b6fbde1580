//! The configuration of a node (`hemora.toml`): sections, defaults, and what may not be together.

mod check;
mod database;
mod destination;
mod error;
mod http;
mod sections;
mod units;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use check::{Dialled, check_database, check_destinations};
pub use database::Database;
pub use destination::{Destination, DicomDestination, FhirDestination, Hl7Destination, Sent};
pub use destination::{WebhookDestination, When};
pub use error::ConfigError;
pub use http::{HttpSection, Sessions, Tls, TrustedProxy};
pub use sections::{
    AssociationTimeouts, Band, DicomSection, Durability, KeepSection, KnownPeer, NodeSection,
    ScoreSection, SettleSection, Thresholds,
};

/// Everything that a node is told. Every value has a default, but for those of destinations.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The node itself.
    pub node: NodeSection,
    /// The DICOM listener.
    pub dicom: DicomSection,
    /// When a study is held to be complete.
    pub settle: SettleSection,
    /// Scoring and thresholds.
    pub score: ScoreSection,
    /// Who gets the results.
    #[serde(rename = "destination")]
    pub destinations: Vec<Destination>,
    /// HTTP.
    pub http: HttpSection,
    /// What is kept, and how long.
    pub keep: KeepSection,
    /// The database.
    pub database: Database,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`] names the file and the line, key or value that cannot be used.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let failed = |problem: String| ConfigError::File { path: path.to_owned(), problem };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let config = Self::parse(&text).map_err(|error| failed(error.to_string()))?;
        Ok(config)
    }

    /// Reads and checks a text.
    ///
    /// # Errors
    /// As [`Config::read`], without the file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::Toml(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// The configuration with every default, as TOML.
    pub fn resolved(&self) -> String {
        toml::to_string_pretty(self).expect("a configuration has a TOML form")
    }

    /// How the data folder is opened.
    pub(crate) fn store_options(&self) -> hemora_store::Options {
        hemora_store::Options {
            durability: match self.node.durability {
                Durability::Power => hemora_store::Durability::Power,
                Durability::Process => hemora_store::Durability::Process,
            },
            reserve: self.keep.reserve.0,
            instance_limit: self.dicom.max_instance.0,
            ..hemora_store::Options::default()
        }
    }

    /// Checks what the sections say together.
    ///
    /// # Errors
    /// [`ConfigError::Value`] names the key, what is wrong and what to do.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.dicom.check()?;
        self.http.check()?;
        self.settle.check(&self.destinations)?;
        self.score.check()?;
        self.keep.check()?;
        self.database.check(self.node.name.as_deref())?;
        for (index, destination) in self.destinations.iter().enumerate() {
            let name = destination.name();
            if name.trim().is_empty() {
                return Err(ConfigError::value("destination.name", "is empty"));
            }
            if self.destinations[..index].iter().any(|it| it.name() == name) {
                let problem = format!("two destinations are called {name:?}; each needs its own");
                return Err(ConfigError::value("destination.name", problem));
            }
            destination.check()?;
            // A ranked list that staff act on is a triage device, whatever a banner says.
            if destination.changes_priority() && self.node.research_protocol.is_none() {
                let problem = format!(
                    "{name:?} alerts people or changes the order of their list, and no one answers for \
                     it: name the protocol in `[node] research_protocol = \"…\"` (ethics number, who is \
                     responsible), or set `priority = false` for an HL7 destination"
                );
                return Err(ConfigError::value("destination", problem));
            }
        }
        Ok(())
    }
}
