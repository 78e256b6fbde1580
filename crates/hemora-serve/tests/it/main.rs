//! The node as a whole, and its configuration.

mod config;
mod node;
mod openapi;
mod peers;
