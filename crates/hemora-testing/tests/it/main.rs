//! What holds of the repository as a whole.

mod dependencies;
mod documents;
