//! Benchmarks beside what a Python user would run.

mod archive;
mod data;
mod eval;
mod loader;
mod measure;
mod networks;
mod page;
mod prepare;
mod serve;
mod table;
mod train;
mod triage;

pub use archive::{ArchiveOptions, archive};
pub use eval::{Options as EvalOptions, eval};
pub use loader::{LoaderOptions, loader};
pub use networks::{NetworksOptions, networks};
pub use page::{Options as PageOptions, page};
pub use prepare::{PrepareOptions, prepare};
pub use serve::{Options as ServeOptions, serve};
pub use table::table;
pub use train::{TrainOptions, train};
pub use triage::{Options, triage};
