//! Where the stores of the suite are: in folders that nodes share, each with a database of one server.

use std::io::Write;
use std::path::{Path, PathBuf};

use hemora_base::sha256_hex;
use hemora_store::{Options, SharedDatabase, Store, StoreError, own_folder};
use hemora_testing::{Postgres, postgres};

/// Set for a process that a test starts, with the address of its database.
const URL: &str = "HEMORA_STORE_URL";

/// Name of the node, where a test has one.
const NODE: &str = "one";

/// The server. Without one nothing of this suite can be run: it says so and ends.
fn server() -> &'static Postgres {
    postgres().unwrap_or_else(|| {
        let _ = writeln!(std::io::stderr(), "skipped: all that needs PostgreSQL");
        std::process::exit(0)
    })
}

/// The database of a folder.
fn database(folder: &Path) -> String {
    let hash = sha256_hex(folder.to_string_lossy().as_bytes());
    format!("t{}", &hash[..16])
}

/// Address of the database of a folder, as a node has it.
pub fn shared(folder: &Path, node: &str) -> SharedDatabase {
    let known = std::env::var(URL).ok();
    let url = known.unwrap_or_else(|| server().database(&database(folder)));
    SharedDatabase { url, password: None, certificates: None, node: node.to_owned() }
}

/// Opens a data folder.
pub fn open(folder: &Path, options: Options) -> Result<Store, StoreError> {
    Store::open_shared(folder, options, &shared(folder, NODE))
}

/// Where the instances of the node arrive.
pub fn inbox(folder: &Path) -> PathBuf {
    own_folder(folder, NODE).join("inbox")
}

/// What a process needs to open the same.
pub fn environment(folder: &Path) -> Vec<(&'static str, String)> {
    vec![(URL, shared(folder, NODE).url)]
}

/// How much longer than with SQLite it takes to open a store.
pub const SLOWER: u32 = 3;

/// Runs a statement behind the store's back; the first value of its answer.
pub fn ask(folder: &Path, sql: &str) -> String {
    let sql = sql.replace("zeroblob(32)", "decode(repeat('00', 32), 'hex')");
    server().ask(&database(folder), &sql)
}
