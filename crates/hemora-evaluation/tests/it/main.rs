//! Tables in, documents and pages out.

mod documents;
mod joins;
mod page;
mod parquet;
mod refusals;
mod support;
