//! Object storage that speaks the protocol of Amazon S3.

mod bucket;
mod failure;
mod pieces;
mod prefix;
mod upload;
mod variables;

pub(crate) use pieces::Pieces;
pub(crate) use prefix::Prefix;
