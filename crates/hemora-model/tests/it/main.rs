//! Bundles: round trips, and everything that must be refused; the published schemas.

mod bundle;
mod schema;
mod series;
mod several;
mod support;
