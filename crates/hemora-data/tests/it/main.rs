//! Data sets as their users see them.

mod annotations;
mod blend;
mod draw;
mod howard;
mod image_set;
mod index;
mod index_shares;
mod loader;
mod mixed;
mod passes;
mod phantoms;
mod prepare;
mod prepare_shares;
mod prepared_set;
mod shared_sample;
mod stats;
mod stored_split;
mod support;
