//! Paths with the name of a model: `NAME=PATH`, or a path that names its run.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A path with the name of its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// The name.
    pub name: String,
    /// The path.
    pub path: PathBuf,
}

impl FromStr for NamedPath {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if let Some((name, path)) = text.split_once('=')
            && !name.is_empty()
            && !name.contains('/')
        {
            return Ok(Self { name: name.to_owned(), path: path.into() });
        }
        let path = Path::new(text);
        let is_general = |name: &str| matches!(name, "slices.parquet" | "predicted");
        let parts: Vec<_> = path.iter().filter_map(|part| part.to_str()).collect();
        let run = parts.into_iter().rev().find(|part| !is_general(part)).unwrap_or(text);
        let stem = Path::new(run).file_stem().map_or(run.into(), |stem| stem.to_string_lossy());
        Ok(Self { name: stem.into_owned(), path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_explicitly_or_after_their_run() {
        for (text, name, path) in [
            ("large=a/slices.parquet", "large", "a/slices.parquet"),
            ("runs/a=1/slices.parquet", "a=1", "runs/a=1/slices.parquet"),
            (
                "stage1/densenet121-both/predicted/slices.parquet",
                "densenet121-both",
                "stage1/densenet121-both/predicted/slices.parquet",
            ),
            ("both.csv", "both", "both.csv"),
            ("slices.parquet", "slices", "slices.parquet"),
        ] {
            let found: NamedPath = text.parse().unwrap();
            assert_eq!((&*found.name, found.path), (name, PathBuf::from(path)));
        }
    }
}
