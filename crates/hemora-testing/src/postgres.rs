//! A PostgreSQL server of the tests: started once a process, in a folder that goes with the process.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::require;

/// Who owns the databases.
const USER: &str = "postgres";

/// How long the server may take to start.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs the server until its own standard input ends, as it does with the process of the tests.
const UNTIL_THE_END: &str = r#"
"$@" >"$LOG" 2>&1 &
server=$!
read _
# Again and again: a server that has only begun to start does not hear it.
while kill -QUIT $server 2>/dev/null; do sleep 0.1; done
rm -rf "$FOLDER"
"#;

/// A server.
#[derive(Debug)]
pub struct Postgres {
    socket: PathBuf,
    programs: PathBuf,
    /// Ends the server with the process: its standard input is closed then.
    _keeper: Child,
}

/// The server of the tests, started the first time; `None` if it is not installed.
///
/// # Panics
/// If it is not installed and `HEMORA_REQUIRE_PEERS` is set, or does not start.
pub fn postgres() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    let start = || {
        let programs = require(programs(), "PostgreSQL", "apt-get install postgresql")?;
        Some(Postgres::start(programs))
    };
    SERVER.get_or_init(start).as_ref()
}

/// Where the server's programs are: on the path, or where Debian has them, the newest.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let mut folders = std::env::split_paths(&path).chain(debian.into_iter().rev());
    let all = ["initdb", "postgres", "psql"];
    folders.find(|folder| all.iter().all(|program| folder.join(program).is_file()))
}

impl Postgres {
    fn start(programs: PathBuf) -> Self {
        let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let name = format!("hemora-postgres-{}-{}", std::process::id(), begun.as_nanos());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        if is_root() {
            run(Command::new("chown").arg(USER).arg(&folder));
        }
        let data = folder.join("data");
        let mut make = unprivileged(programs.join("initdb"));
        make.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"]);
        run(make.arg(&data).current_dir(&folder));
        let mut server = unprivileged(programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&folder);
        server.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300"]);
        let mut keeper = Command::new("sh");
        keeper.args(["-c", UNTIL_THE_END, "sh"]).arg(server.get_program()).args(server.get_args());
        keeper.env("FOLDER", &folder).env("LOG", folder.join("log")).current_dir("/");
        let keeper = keeper.stdin(Stdio::piped()).spawn().unwrap();
        let server = Self { socket: folder, programs, _keeper: keeper };
        let end = Instant::now() + LONGEST;
        while !server.psql("postgres", "SELECT 1").output().unwrap().status.success() {
            let log = std::fs::read_to_string(server.socket.join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "PostgreSQL does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Address of a database, which is made if it is not there.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn database(&self, name: &str) -> String {
        let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        if self.ask("postgres", &sql).is_empty() {
            self.ask("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        }
        let socket = self.socket.to_str().unwrap().replace('/', "%2F");
        format!("postgres://{USER}@{socket}/{name}")
    }

    /// What a database answers to a statement, as text without frames.
    ///
    /// # Panics
    /// If it refuses.
    pub fn ask(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, sql).output().unwrap();
        let refused = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {refused}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", database]);
        psql.arg("-h").arg(&self.socket).args(["-c", sql]);
        psql
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A program as a user that is not root, as whom the server refuses to run.
fn unprivileged(program: impl AsRef<OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--init-groups"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
