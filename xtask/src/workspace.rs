//! Where things lie in the checkout.

use std::path::{Path, PathBuf};

/// The checkout and the folders that set-up makes in it.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout this program was started from (`cargo run` says which), or built from.
    pub fn find() -> Self {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf);
        Self { root }
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `.env/torch`: PyTorch's wheel, for its libtorch.
    pub fn torch(&self) -> PathBuf {
        self.root.join(".env").join("torch")
    }

    /// `.env/peers`: the virtual environment of the Python packages that tests compare with.
    pub fn peers(&self) -> PathBuf {
        self.root.join(".env").join("peers")
    }

    /// The interpreter of [`Workspace::peers`].
    pub fn peers_python(&self) -> PathBuf {
        self.peers().join("bin").join("python")
    }

    /// The pinned list of the Python packages.
    pub fn peers_requirements(&self) -> PathBuf {
        self.root.join("tools").join("peers-requirements.txt")
    }

    /// Where cargo puts what it builds: `CARGO_TARGET_DIR`, or `target`.
    pub fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.root.join("target"), |dir| self.root.join(PathBuf::from(dir)))
    }
}
