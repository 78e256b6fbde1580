//! Where the database is: in the data folder, or at a server that several nodes share.

use std::path::PathBuf;

use hemora_store::{SharedDatabase, StoreError, check_node_name};
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};

/// Name of the variable that may hold the password of the database.
const PASSWORD: &str = "HEMORA_DATABASE_PASSWORD";

/// The database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `sqlite`, in the data folder, or `postgres://USER@HOST/DATABASE`, which several nodes share with the
    /// data folder.
    pub url: String,
    /// File with the password, for a server that wants one; or `HEMORA_DATABASE_PASSWORD` holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that vouch for a server on another machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<PathBuf>,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: "sqlite".to_owned(), password_file: None, certificates: None }
    }
}

impl Database {
    /// Whether several nodes may share it.
    pub fn is_shared(&self) -> bool {
        self.url != "sqlite"
    }

    pub(super) fn check(&self, node: Option<&str>) -> Result<(), ConfigError> {
        let bad = |problem: &str| Err(ConfigError::value("database.url", problem));
        if !self.is_shared() {
            return Ok(());
        }
        // What is wrong with an address is said without it: it may hold a password.
        let Some((scheme, rest)) = self.url.split_once("://") else {
            return bad(
                "is neither \"sqlite\" nor an address such as \"postgres://USER@HOST/DATABASE\"",
            );
        };
        if !matches!(scheme, "postgres" | "postgresql") {
            return bad("is neither \"sqlite\" nor an address that begins with \"postgres://\"");
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        if user.contains(':') || rest.contains("password=") {
            return bad(
                "holds a password, which the log and the page of the system would show: write it into \
                 a file, and the file's name into `database.password_file`",
            );
        }
        if cfg!(not(feature = "postgres")) {
            return bad(
                "is one of PostgreSQL, which this hemora was built without: build it with \
                 `--features postgres`, or write \"sqlite\"",
            );
        }
        let Some(node) = node else {
            let problem = "is missing: each node of a shared database has its own";
            return Err(ConfigError::value("node.name", problem));
        };
        check_node_name(node).map_err(|error| ConfigError::value("node.name", error.to_string()))
    }
}

impl Config {
    /// The database that several nodes share, with its password; `None` for one in the data folder.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the file of the password cannot be read.
    pub(crate) fn shared_database(&self) -> Result<Option<SharedDatabase>, StoreError> {
        let (section, Some(node)) = (&self.database, &self.node.name) else { return Ok(None) };
        if !section.is_shared() {
            return Ok(None);
        }
        let password = match &section.password_file {
            Some(path) => {
                let read = std::fs::read_to_string(path);
                let read = read.map_err(|source| StoreError::Io { path: path.clone(), source })?;
                Some(read.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => std::env::var(PASSWORD).ok(),
        };
        Ok(Some(SharedDatabase {
            url: section.url.clone(),
            password,
            certificates: section.certificates.clone(),
            node: node.clone(),
        }))
    }

    /// What the node has for itself of the data folder.
    pub(crate) fn own_folder(&self) -> PathBuf {
        match &self.node.name {
            Some(node) if self.database.is_shared() => {
                hemora_store::own_folder(&self.node.data, node)
            }
            _ => self.node.data.clone(),
        }
    }
}
