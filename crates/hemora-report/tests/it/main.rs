//! What is made of a triage, from outside.

mod capture;
mod files;
mod page;
mod page_text;
mod support;
