//! Deliveries: written with the result, sent until they are acknowledged.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::studies::words;
use crate::{Store, StoreError};

/// Something to send because of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Name of the destination.
    pub destination: String,
    /// What it is, such as `sr`.
    pub kind: String,
    /// The bytes to send, the same whenever they are sent.
    pub payload: Vec<u8>,
}

/// What state a delivery is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// To be sent.
    Waiting,
    /// Being sent.
    Sending,
    /// Acknowledged.
    Delivered,
    /// Given up until somebody has it sent again.
    GivenUp,
    /// Not sent, since a newer revision of the study has a result.
    Superseded,
}

words! { DeliveryState, "state of a delivery",
    Waiting = "waiting",
    Sending = "sending",
    Delivered = "delivered",
    GivenUp = "given up",
    Superseded = "superseded",
}

/// A delivery to make, leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number of the delivery.
    pub id: i64,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Revision of the study.
    pub revision: u32,
    /// Name of the destination.
    pub destination: String,
    /// What it is.
    pub kind: String,
    /// Times that it failed before.
    pub attempts: u32,
    /// The bytes to send.
    pub payload: Vec<u8>,
    /// When its result was made.
    pub made_at: DateTime<Utc>,
    /// Who leased it.
    pub owner: String,
    /// Number of the lease.
    pub(crate) lease: i64,
}

/// What is known of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Number of the delivery.
    pub id: i64,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Revision of the study.
    pub revision: u32,
    /// Name of the destination.
    pub destination: String,
    /// What it is.
    pub kind: String,
    /// Its state.
    pub state: DeliveryState,
    /// Times that it failed.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Option<DateTime<Utc>>,
    /// When it was acknowledged.
    pub delivered_at: Option<DateTime<Utc>>,
    /// What the destination answered last.
    pub remote_status: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Bytes to send.
    pub bytes: u64,
}

impl Store {
    /// Leases the delivery that is due first, to any destination or to one. Of one study and
    /// destination, an earlier revision comes before a later one.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn lease_delivery(
        &self,
        owner: &str,
        destination: Option<&str>,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Delivery>, StoreError> {
        let _ = (owner, destination, now, length);
        todo!()
    }

    /// Prolongs the lease of a delivery to `length` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or of the database.
    pub fn renew_delivery(
        &self,
        delivery: &Delivery,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<(), StoreError> {
        let _ = (delivery, now, length);
        todo!()
    }

    /// The destination acknowledged a delivery.
    ///
    /// # Errors
    /// [`StoreError::NoDelivery`], or of the database.
    pub fn delivered(
        &self,
        id: i64,
        remote_status: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let _ = (id, remote_status, now);
        todo!()
    }

    /// A delivery failed; it is tried again at `next_at`, or given up without one.
    ///
    /// # Errors
    /// [`StoreError::NoDelivery`], or of the database.
    pub fn delivery_failed(
        &self,
        id: i64,
        error: &str,
        next_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let _ = (id, error, next_at);
        todo!()
    }

    /// The deliveries of a study, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn deliveries(&self, study_uid: &str) -> Result<Vec<DeliveryRow>, StoreError> {
        let _ = study_uid;
        todo!()
    }

    /// Has a delivery sent now, whatever its state, unless it is being sent.
    ///
    /// # Errors
    /// [`StoreError::NoDelivery`], or of the database.
    pub fn retry_delivery(&self, id: i64, who: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let _ = (id, who, now);
        todo!()
    }
}
