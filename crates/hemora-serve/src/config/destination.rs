//! Who gets the results, and in which form.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::sections::check_ae;

/// Who gets the results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Destination {
    /// Objects by C-STORE.
    Dicom(DicomDestination),
    /// ORU messages by MLLP.
    Hl7(Hl7Destination),
    /// R4 transactions by HTTP.
    Fhir(FhirDestination),
    /// Signed JSON by HTTP.
    Webhook(WebhookDestination),
}

/// Of which studies a destination hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Of all that were scored.
    #[default]
    All,
    /// Of those that are positive or not sure.
    NotNegative,
    /// Of those that are positive.
    Positive,
}

/// What is sent by C-STORE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// The structured report.
    Sr,
    /// The secondary capture.
    Sc,
    /// The key object selection.
    KeyObjects,
}

/// Objects by C-STORE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DicomDestination {
    /// Name in lists and logs.
    pub name: String,
    /// AE title that is called.
    pub ae: String,
    /// `host:port`.
    pub host: String,
    /// What is sent.
    #[serde(default = "everything")]
    pub send: Vec<Sent>,
    /// Of which studies.
    #[serde(default)]
    pub when: When,
    /// Whether the destination is asked to commit itself to keep what it got; until it does, the
    /// delivery is not done.
    #[serde(default)]
    pub commitment: bool,
}

fn everything() -> Vec<Sent> {
    vec![Sent::Sr, Sent::Sc, Sent::KeyObjects]
}

/// ORU messages by MLLP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hl7Destination {
    /// Name in lists and logs.
    pub name: String,
    /// `host:port`.
    pub host: String,
    /// Of which studies.
    #[serde(default)]
    pub when: When,
    /// Whether positive studies are sent with the priority of an emergency.
    #[serde(default = "yes")]
    pub priority: bool,
    /// Whether name, birth date and sex of the patient are sent; the PatientID always is.
    #[serde(default = "yes")]
    pub phi: bool,
    /// MSH-5 and MSH-6, application and facility that receive.
    #[serde(default)]
    pub receiver: [String; 2],
    /// TOML file of fields that this receiver wants otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<PathBuf>,
}

fn yes() -> bool {
    true
}

/// R4 transactions by HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FhirDestination {
    /// Name in lists and logs.
    pub name: String,
    /// Base of the server.
    pub url: String,
    /// Of which studies.
    #[serde(default)]
    pub when: When,
    /// Whether name, birth date and sex of the patient are sent.
    #[serde(default)]
    pub phi: bool,
    /// File with a bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
}

/// Signed JSON by HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookDestination {
    /// Name in lists and logs.
    pub name: String,
    /// Where it is posted.
    pub url: String,
    /// File with the secret of the signature.
    pub secret_file: PathBuf,
    /// Of which studies.
    #[serde(default)]
    pub when: When,
    /// Whether anything of the patient is sent.
    #[serde(default)]
    pub phi: bool,
}

impl Destination {
    /// Name in lists and logs.
    pub fn name(&self) -> &str {
        match self {
            Self::Dicom(it) => &it.name,
            Self::Hl7(it) => &it.name,
            Self::Fhir(it) => &it.name,
            Self::Webhook(it) => &it.name,
        }
    }

    /// Of which studies it hears.
    pub fn when(&self) -> When {
        match self {
            Self::Dicom(it) => it.when,
            Self::Hl7(it) => it.when,
            Self::Fhir(it) => it.when,
            Self::Webhook(it) => it.when,
        }
    }

    /// Whether what it gets alerts people or changes the order of their list.
    pub(super) fn changes_priority(&self) -> bool {
        match self {
            Self::Dicom(_) | Self::Fhir(_) => false,
            Self::Hl7(it) => it.priority,
            Self::Webhook(_) => true,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let key = |field: &str| format!("destination {:?}, {field}", self.name());
        match self {
            Self::Dicom(it) => {
                check_ae(&key("ae"), &it.ae)?;
                if it.send.is_empty() {
                    return Err(ConfigError::value(key("send"), "is empty: nothing would be sent"));
                }
                check_host(&key("host"), &it.host)
            }
            Self::Hl7(it) => check_host(&key("host"), &it.host),
            Self::Fhir(it) => check_url(&key("url"), &it.url),
            Self::Webhook(it) => check_url(&key("url"), &it.url),
        }
    }
}

/// `host:port`.
fn check_host(key: &str, host: &str) -> Result<(), ConfigError> {
    let port = host.rsplit_once(':').filter(|(name, _)| !name.is_empty());
    match port.and_then(|(_, port)| port.parse::<u16>().ok()).filter(|&port| port > 0) {
        Some(_) => Ok(()),
        None => {
            let problem = format!("is {host:?}; write host and port, such as \"10.1.2.9:104\"");
            Err(ConfigError::value(key, problem))
        }
    }
}

/// `http://…` or `https://…`.
pub(super) fn check_url(key: &str, url: &str) -> Result<(), ConfigError> {
    let host = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    match host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')) {
        true => Ok(()),
        false => Err(ConfigError::value(key, format!("is {url:?}; write https://…"))),
    }
}
