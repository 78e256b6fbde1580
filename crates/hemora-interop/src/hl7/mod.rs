//! A result as an HL7 v2.5.1 message, its frames, and what the receiver answers.

mod ack;
mod escape;
pub mod mllp;
mod oru;
mod segment;
mod template;

pub use ack::{Ack, AckCode, AckError, parse_ack};
pub use oru::{OruOptions, control_id, oru};
pub use template::{Template, TemplateError};
