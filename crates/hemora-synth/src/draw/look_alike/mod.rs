//! What only looks like blood: calcium, dense vessels and artefacts. None of it is labelled.

mod artefacts;
mod calcium;
mod choice;
mod vessels;
