//! The node beside the PACS: receives studies, scores them, ranks them and answers, and loses nothing.
//!
//! [`Node::start`] runs a node by a [`Config`]. Images come over DICOM ([`hemora_dimse`]) and are kept
//! ([`hemora_store`]) before they are acknowledged; a study is settled when it is held to be complete,
//! scored ([`hemora_infer`]), and its result is stored together with what is to be sent of it
//! ([`hemora_interop`]), which is sent until it is acknowledged. [`openapi`] describes the HTTP API.

mod access;
mod answers;
mod arrivals;
mod classify;
mod commitments;
pub mod config;
mod control;
mod deliver;
mod forms;
mod http;
mod intake;
mod log;
mod looks;
mod metrics;
mod node;
mod opening;
mod quality;
mod scoring;
mod settle;
mod settling;
mod shared;
mod told_to_end;
mod uids;
mod view;

pub use config::Config;
pub use control::{ControlError, backup, forget, restore, verify_audit};
pub use http::openapi;
pub use log::{LogFormat, start_log};
pub use node::{Node, NodeError};
pub use told_to_end::ToldToEnd;
