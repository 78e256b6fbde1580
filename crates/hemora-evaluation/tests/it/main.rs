//! Tables in, documents and pages out.

mod documents;
mod joins;
mod page;
mod parquet;
mod refusals;
#[path = "../../../hemora-report/tests/support/sound.rs"]
mod sound;
mod support;
