//! The state of the node.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::StudyDelivery;

/// The state of the node.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct System {
    /// Version of the program.
    pub version: String,
    /// UID of this installation.
    pub node_uid: String,
    /// AE title.
    pub ae_title: String,
    /// When the node started.
    pub started_at: DateTime<Utc>,
    /// `power` or `process`: what an acknowledged image has survived.
    pub durability: String,
    /// Who sent images in the last day.
    pub sources: Vec<ImageSource>,
    /// What waits to be scored.
    pub queue: Queue,
    /// The disk.
    pub disk: Disk,
    /// What is sent, by destination.
    pub destinations: Vec<DestinationState>,
    /// Deliveries that fail or were given up, newest first, at most 100.
    pub failing: Vec<FailingDelivery>,
    /// The model; absent while it is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelState>,
    /// The configuration with every default (TOML).
    pub configuration: String,
}

/// Who sends images.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ImageSource {
    /// Calling AE title.
    pub ae_title: String,
    /// Its address.
    pub peer: String,
    /// Associations in the last day.
    pub associations: u64,
    /// Of these, open ones.
    pub open: u64,
    /// Of these, ones that were aborted or timed out.
    pub broken: u64,
    /// Images in the last day.
    pub images: u64,
    /// When the last association was opened.
    pub last_at: DateTime<Utc>,
}

/// What waits to be scored.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Queue {
    /// Jobs that wait.
    pub waiting: u64,
    /// Jobs that are being worked on.
    pub scoring: u64,
    /// Jobs that failed for good.
    pub failed: u64,
}

/// The disk, bytes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Disk {
    /// Free.
    pub free: u64,
    /// Below so much free, no images are taken.
    pub reserve: u64,
    /// Images.
    pub images: u64,
    /// Above so much, the oldest go.
    pub at_most: u64,
    /// Studies.
    pub studies: u64,
}

/// What is sent to a destination.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DestinationState {
    /// Its name.
    pub name: String,
    /// `dicom`, `hl7`, `webhook` or `fhir`; empty where it is not configured any more.
    pub kind: String,
    /// Waits.
    pub waiting: u64,
    /// Waits, and failed at least once.
    pub failing: u64,
    /// Given up.
    pub given_up: u64,
    /// Acknowledged.
    pub delivered: u64,
}

/// A delivery that fails.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FailingDelivery {
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// The delivery.
    pub delivery: StudyDelivery,
}

/// The model that scores.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ModelState {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of its network.
    pub sha256: String,
    /// Engine.
    pub engine: String,
    /// Its card (Markdown), empty if the bundle has none.
    pub card: String,
}
