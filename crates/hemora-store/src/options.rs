//! How a store is opened.

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
