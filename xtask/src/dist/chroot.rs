//! A Debian of its own, without anything of Rust: there the package is installed, receives a study, ranks it, and is
//! removed, and there the steps of the Containerfile run.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use super::{archive, container, trial};
use crate::node::{free_port, http};
use crate::process::{log, read, run};
use crate::programs;
use crate::workspace::Workspace;

const RELEASE: &str = "bookworm";
/// How long a study of a few slices may take from its arrival to its rank.
const LONGEST: Duration = Duration::from_secs(120);

/// Everything that needs a Debian of its own; without root or debootstrap that is skipped, which is said.
pub fn all(workspace: &Workspace, package: &Path, archive: &Path, folder: &Path) -> Result<()> {
    let Some(base) = base(workspace)? else { return Ok(()) };
    let debian = Debian::copy(&base, &folder.join("debian"))?;
    install(&debian, package)?;
    serve(&debian)?;
    remove(&debian)?;
    steps(workspace, &debian, archive)
}

/// A minimal Debian in `.env/debian`, made once: it takes a minute and 200 MB.
fn base(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let root = workspace.root().join(".env").join("debian");
    if programs::find("debootstrap").is_none() || !programs::is_root() {
        log("the package is not installed: that takes root and debootstrap");
        return Ok(None);
    }
    let complete = root.join(".complete");
    if !fs::read_to_string(&complete).is_ok_and(|made| made == RELEASE) {
        log("making a minimal Debian in .env/debian");
        if root.exists() {
            fs::remove_dir_all(&root).into_diagnostic()?;
        }
        let mut make = Command::new("debootstrap");
        make.args(["--variant=minbase", "--include=adduser", RELEASE]).arg(&root);
        run(make.stdout(Stdio::null()))?;
        fs::write(&complete, RELEASE).into_diagnostic()?;
    }
    Ok(Some(root))
}

/// A Debian that may be changed.
struct Debian {
    root: PathBuf,
}

impl Debian {
    fn copy(base: &Path, root: &Path) -> Result<Self> {
        run(Command::new("cp").args(["--archive", "--reflink=auto"]).arg(base).arg(root))?;
        Ok(Self { root: root.to_owned() })
    }

    /// A command in it, which sees nothing of this environment.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(&self.root).args(words).env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("LC_ALL", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive");
        // There is no /proc, with which the search for a library begins.
        command.env("HEMORA_ONNXRUNTIME", "off").current_dir("/");
        command
    }

    /// A command as the user that the package made.
    fn as_hemora(&self, words: &[&str]) -> Command {
        let user =
            ["setpriv", "--reuid=hemora", "--regid=hemora", "--clear-groups", "--no-new-privs"];
        self.command(&[&user, words].concat())
    }

    fn path(&self, place: &str) -> PathBuf {
        self.root.join(place)
    }

    fn expect(&self, place: &str, there: bool) -> Result<()> {
        match self.path(place).exists() == there {
            true => Ok(()),
            false if there => Err(miette!("/{place} is not there")),
            false => Err(miette!("/{place} is still there")),
        }
    }
}

fn install(debian: &Debian, package: &Path) -> Result<()> {
    fs::copy(package, debian.path("hemora.deb")).into_diagnostic()?;
    let mut install = debian.command(&["dpkg", "--install", "/hemora.deb"]);
    run(install.stdout(Stdio::null())).wrap_err("the package cannot be installed")?;
    debian.expect("lib/systemd/system/hemora.service", true)?;
    debian.expect("etc/systemd/system/multi-user.target.wants/hemora.service", true).or_else(
        |_| {
            // A link to a file outside of the root, for whoever looks from here.
            let link = debian.path("etc/systemd/system/multi-user.target.wants/hemora.service");
            link.is_symlink().then_some(()).ok_or_else(|| miette!("the service is not enabled"))
        },
    )?;
    // As StateDirectory= of the unit does.
    let state = "install -d -o hemora -g hemora -m 0750 /var/lib/hemora";
    run(&mut debian.command(&["sh", "-c", state]))?;
    let script = "cd /var/lib/hemora && hemora synth trial --patients 1 --seed 3 --size 96 >/dev/null && \
                  hemora triage trial/stage_2_train --out trial/out >/dev/null && cat trial/out/result.json";
    trial::scored(&read(&mut debian.as_hemora(&["sh", "-ec", script]))?)
}

/// The service as systemd would start it, with its own configuration but for the ports and the login.
fn serve(debian: &Debian) -> Result<()> {
    let file = debian.path("etc/hemora/hemora.toml");
    let port = free_port()?;
    let configuration = fs::read_to_string(&file)
        .into_diagnostic()?
        .replace("listen = \"127.0.0.1:11112\"", &format!("listen = \"127.0.0.1:{port}\""))
        .replace("listen = \"127.0.0.1:8050\"", "listen = \"127.0.0.1:0\"\nlogin = false");
    fs::write(&file, configuration).into_diagnostic()?;
    let mut serve = debian.as_hemora(&["hemora", "serve", "--config", "/etc/hemora/hemora.toml"]);
    serve.stdin(Stdio::null()).stdout(Stdio::piped());
    let log_file = debian.path("node.log");
    serve.stderr(fs::File::create(&log_file).into_diagnostic()?);
    let mut child = serve.spawn().into_diagnostic().wrap_err("cannot start the service")?;
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let _ended = Ended(&mut child);
    let mut addresses = lines.map_while(std::result::Result::ok).filter_map(|line| {
        let address = line.strip_prefix("list:")?.trim().strip_prefix("http://")?;
        Some(address.trim_end_matches('/').to_owned())
    });
    let words = || fs::read_to_string(&log_file).unwrap_or_default();
    let address =
        addresses.next().ok_or_else(|| miette!("the service did not start: {}", words()))?;
    let Some(storescu) = programs::find("storescu") else {
        log("no study is sent to the service: there is no storescu");
        return Ok(());
    };
    let mut send = Command::new(storescu);
    send.args(["127.0.0.1", &port.to_string(), "-aec", "HEMORA", "+sd", "+r"]);
    run(send.arg(debian.path("var/lib/hemora/trial/stage_2_train")))?;
    let sent = Instant::now();
    while sent.elapsed() < LONGEST {
        let list = http::get(&address, "/api/v1/studies")?;
        if list["studies"][0]["probability"].is_f64() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Err(miette!("no study was ranked within {} s: {}", LONGEST.as_secs(), words()))
}

/// Ends a program when dropped, as systemd does, so that its data are whole.
struct Ended<'a>(&'a mut Child);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Removal and purge take the program and the configuration, and leave the data.
fn remove(debian: &Debian) -> Result<()> {
    run(debian.command(&["dpkg", "--remove", "hemora"]).stdout(Stdio::null()))?;
    debian.expect("usr/bin/hemora", false)?;
    debian.expect("etc/hemora/hemora.toml", true)?;
    run(debian.command(&["dpkg", "--purge", "hemora"]).stdout(Stdio::null()))?;
    debian.expect("etc/hemora/hemora.toml", false)?;
    debian.expect("var/lib/hemora/hemora.db", true)
}

/// The steps of the Containerfile on what its `ADD` and `COPY` bring; the image itself is not built.
fn steps(workspace: &Workspace, debian: &Debian, packed: &Path) -> Result<()> {
    log("trying the steps of the Containerfile");
    archive::unpack(packed, &debian.path("opt"))?;
    let name = packed.file_name().unwrap_or_default().to_string_lossy();
    let version = name.split('-').nth(1).unwrap_or_default().to_owned();
    // In the image the user is new too.
    run(debian.command(&["deluser", "--quiet", "hemora"]).stdout(Stdio::null()))?;
    run(&mut debian.command(&["rm", "-r", "/var/lib/hemora"]))?;
    let text = fs::read_to_string(workspace.root().join("deploy").join("Containerfile"));
    for step in container::steps(&text.into_diagnostic()?) {
        run(debian.command(&["sh", "-c", &step]).env("VERSION", &version))?;
    }
    let script = "cd /var/lib/hemora && hemora demo --out demo >/dev/null && cat demo/result.json";
    let user = ["setpriv", "--reuid=10001", "--regid=10001", "--clear-groups"];
    let result = read(&mut debian.command(&[&user[..], &["sh", "-ec", script]].concat()))?;
    trial::scored(&result).wrap_err("the image's user cannot triage")
}
