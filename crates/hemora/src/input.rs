//! What commands read as files, which may be objects.

use std::path::Path;

use hemora_objects::Mirror;
use miette::{IntoDiagnostic, Result, WrapErr};

/// A file, or a temporary copy of an object, which is fetched once and removed with this value.
pub struct Input(Mirror);

impl Input {
    /// The file or object that a path names. Whether a file is there is told by whoever opens it.
    ///
    /// # Errors
    /// A report that names the object.
    pub fn fetch(path: &Path) -> Result<Self> {
        let mirror = Mirror::of_file(path).into_diagnostic()?;
        mirror.need(mirror.path()).into_diagnostic()?;
        Ok(Self(mirror))
    }

    /// The path on this machine.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Names the object in an error of its copy.
    ///
    /// # Errors
    /// That of `result`.
    pub fn named<T>(&self, result: Result<T>) -> Result<T> {
        match self.0.is_remote() {
            true => result.wrap_err_with(|| self.0.shown(self.path()).display().to_string()),
            false => result,
        }
    }
}
