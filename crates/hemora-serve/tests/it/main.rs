//! The node as a whole, and its configuration.

mod access;
mod config;
mod node;
mod openapi;
mod pages;
mod peers;
mod quality;
mod reading;
mod scans;
mod view;
