//! How a store is opened.

use std::fmt;
use std::path::PathBuf;

/// What an acknowledged instance survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Power loss: everything is synced before it is acknowledged.
    #[default]
    Power,
    /// The end of the process, not that of the machine: nothing is synced.
    Process,
}

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What an acknowledged instance survives.
    pub durability: Durability,
    /// Bytes of the disk that stay free: below, no draft is given out.
    pub reserve: u64,
    /// Bytes that one instance may have, meta header included.
    pub instance_limit: u64,
    /// Files that are made ready in the inbox, so that an instance costs one sync.
    pub pool: usize,
    /// Instances that may be acknowledged and not yet filed; beyond, [`crate::Store::keep`] waits. Also
    /// what recovery has to look at, at most.
    pub unfiled: usize,
    /// Probability of a partial score from which on a study is scored before others.
    pub partial_positive: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Power,
            reserve: 1 << 30,
            instance_limit: 512 << 20,
            pool: 64,
            unfiled: 1024,
            partial_positive: 0.5,
        }
    }
}

/// A database that several nodes share, and which node this is.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedDatabase {
    /// Where it is: `postgres://USER@HOST/DATABASE`.
    pub url: String,
    /// Password of the user, where the server wants one and the address does not hold it.
    pub password: Option<String>,
    /// Certificates (PEM) of the authorities that vouch for the server. With them it is spoken to by TLS
    /// alone; without, it has to be on this machine.
    pub certificates: Option<PathBuf>,
    /// Name of the node, which no other of the database has; see [`crate::check_node_name`].
    pub node: String,
}

// By hand, since the address may hold a password.
impl fmt::Debug for SharedDatabase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("SharedDatabase");
        fields.field("certificates", &self.certificates).field("node", &self.node);
        fields.finish_non_exhaustive()
    }
}
