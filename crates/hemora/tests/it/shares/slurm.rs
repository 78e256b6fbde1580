//! `deploy/slurm` under a Slurm of the test's own on this machine: shares are killed and requeued, and the
//! whole is what one run makes.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hemora_testing::program;

use super::{STUDIES, data_set, deployed, index, text};

const INSTALL: &str =
    "install Slurm, as `cargo xtask setup` does (Debian and Ubuntu: `apt-get install slurm-wlm`)";
/// Longer than anything here takes on a machine that is at work.
const PATIENCE: Duration = Duration::from_secs(300);

/// A controller, a node and what vouches for their messages; all end with it.
struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    /// `None` where Slurm is not installed.
    fn start() -> Option<Self> {
        let [munged, slurmctld, slurmd, _, _] =
            ["munged", "slurmctld", "slurmd", "sbatch", "srun"].map(|it| program(it, INSTALL));
        let folder = tempfile::tempdir().unwrap();
        let mut cluster = Self { folder, daemons: Vec::new() };
        cluster.configure();
        let at = |name: &str| cluster.folder.path().join(name);
        let mut munge = Command::new(munged?);
        munge.args(["--foreground", "--force"]);
        for (flag, name) in [
            ("socket", "munge.socket"),
            ("key-file", "munge.key"),
            ("pid-file", "munge.pid"),
            ("log-file", "munge.log"),
            ("seed-file", "munge.seed"),
        ] {
            munge.arg(format!("--{flag}={}", at(name).display()));
        }
        let mut controller = Command::new(slurmctld?);
        controller.args(["-D", "-c", "-f"]).arg(at("slurm.conf"));
        let mut node = Command::new(slurmd?);
        node.args(["-D", "-c", "-N", &host(), "-f"]).arg(at("slurm.conf"));
        let socket = at("munge.socket");
        cluster.spawn(munge, "munge.out");
        until("munge's socket", || socket.exists());
        cluster.spawn(controller, "controller.out");
        cluster.spawn(node, "node.out");
        until("the node", || cluster.ask("sinfo", &["--noheader", "--format=%t"]).trim() == "idle");
        Some(cluster)
    }

    fn configure(&self) {
        let folder = self.folder.path();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["state", "spool"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        let mut key = [0; 1024];
        fs::File::open("/dev/urandom").unwrap().read_exact(&mut key).unwrap();
        fs::write(folder.join("munge.key"), key).unwrap();
        fs::set_permissions(folder.join("munge.key"), fs::Permissions::from_mode(0o400)).unwrap();
        // Ports are free until somebody else takes them; both are held until both are known.
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [controller, node] = listeners.map(|it| it.local_addr().unwrap().port());
        let user = Command::new("id").arg("-un").output().unwrap();
        let (user, host, folder) = (text(&user), host(), folder.display());
        let user = user.trim();
        // Credentials that expire soon let a requeued job start again soon.
        let configuration = format!(
            "ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/node.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"
        );
        fs::write(self.folder.path().join("slurm.conf"), configuration).unwrap();
    }

    fn spawn(&mut self, mut command: Command, log: &str) {
        let log = fs::File::create(self.folder.path().join(log)).unwrap();
        command.env("SLURM_CONF", self.folder.path().join("slurm.conf")).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.daemons.push(command.spawn().unwrap());
    }

    /// Runs a program of Slurm's; its standard output.
    fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.folder.path().join("slurm.conf")).args(arguments);
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    }

    /// Submits a script of `deploy/slurm` for small nodes; the number of the job.
    fn submit(&self, flags: &[&str], script: &str, program: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new("sbatch");
        command.current_dir(self.folder.path()).env("HEMORA", program);
        command.env("SLURM_CONF", self.folder.path().join("slurm.conf"));
        command.args(["--parsable", "--cpus-per-task=1", "--mem=50"]).args(flags);
        command.arg(deployed("slurm").join(script)).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        text(&output).trim().to_owned()
    }

    /// How the jobs stand that are not done.
    fn queue(&self) -> String {
        self.ask("squeue", &["--noheader", "--array", "--format=%i %T %r"])
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("queue:\n{}", self.queue());
            let files = fs::read_dir(self.folder.path()).into_iter().flatten().flatten();
            for name in files.filter_map(|it| it.file_name().into_string().ok()) {
                if name.starts_with("hemora-") {
                    eprintln!("{name}:\n{}", self.read(&name));
                }
            }
            for log in ["controller.out", "node.out"] {
                eprintln!("{log}:\n{}", self.read(log));
            }
        }
        for daemon in self.daemons.iter_mut().rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn host() -> String {
    text(&Command::new("hostname").arg("-s").output().unwrap()).trim().to_owned()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Hemora, which in the first two tasks of a job that are at work stops and waits to be killed: a triage once it has begun
/// its chunks; an index, which is done in a moment, before it has read anything. A share may have no study and be
/// done before anybody sees it at work; then another stops. Each says its task and its process in a file of its own.
fn stopping(folder: &Path) -> PathBuf {
    let (path, hemora) = (folder.join("stopping.sh"), env!("CARGO_BIN_EXE_hemora"));
    let script = format!(
        "#!/bin/bash
stopped={}/stopped-$SLURM_ARRAY_JOB_ID
(kill -STOP $BASHPID; exec {hemora} \"$@\") &
state() {{ sed -n 's/^State:.\\(.\\).*/\\1/p' /proc/$1/status 2>/dev/null; }}
until [ \"$(state $!)\" = T ]; do sleep 0.01; done
if [ $1 = triage ]; then
    kill -CONT $!
    part=$(printf 'triaged/shard-%05d-of-00008.part' $SLURM_ARRAY_TASK_ID)
    until [ -e $part/job.json ] || [[ $(state $!) =~ ^Z?$ ]]; do sleep 0.01; done
    kill -STOP $! 2>/dev/null
    until [[ $(state $!) =~ ^[TZ]?$ ]]; do sleep 0.01; done
fi
if [ \"$(state $!)\" = T ]; then
    for place in 1 2; do
        if mkdir $stopped-$place 2>/dev/null; then
            echo $SLURM_ARRAY_TASK_ID $! > $stopped-$place/being-written
            mv $stopped-$place/being-written $stopped-$place/task
            wait $!
            exit
        fi
    done
    kill -CONT $!
fi
wait $!
",
        folder.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

impl Cluster {
    /// Runs 8 shares, of which one is killed and one requeued while they are at work, and then `merge`.
    fn killed_and_merged(&self, share: &[&str], merge: &[&str]) {
        let folder = self.folder.path();
        let job = self.submit(&["--array=1-8"], "share.sbatch", &stopping(folder), share);
        let after = format!("--dependency=afterok:{job}");
        let hemora = Path::new(env!("CARGO_BIN_EXE_hemora"));
        self.submit(&[&after], "whole.sbatch", hemora, merge);
        let stopped = |place: &str| {
            let text =
                fs::read_to_string(folder.join(format!("stopped-{job}-{place}/task"))).ok()?;
            let (task, process) = text.trim().split_once(' ')?;
            Some((task.parse::<usize>().ok()?, process.to_owned()))
        };
        until("the two tasks that stop", || stopped("1").is_some() && stopped("2").is_some());
        let [killed, requeued] = ["1", "2"].map(|place| stopped(place).unwrap());
        self.ask("sh", &["-c", &format!("kill -KILL {}", killed.1)]);
        self.ask("scontrol", &["requeue", &format!("{job}_{}", requeued.0)]);
        until("the end of all jobs", || self.queue().trim().is_empty());
        for task in 1..=8 {
            let log = self.read(&format!("hemora-share-{job}_{task}.log"));
            let starts = log.matches(&format!("share {task}/8 on ")).count();
            let expected = if [killed.0, requeued.0].contains(&task) { 2 } else { 1 };
            assert_eq!(starts, expected, "{log}");
        }
    }
}

#[test]
fn shares_that_are_killed_and_requeued_make_what_one_run_makes() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = cluster.folder.path();
    let (images, labels) = data_set(folder);
    let [images_text, labels_text] = [&images, &labels].map(|it| it.to_str().unwrap());
    let shares = ["index", images_text, "--labels", labels_text, "--out", "shares"];
    cluster.killed_and_merged(&shares, &["merge", "shares", "--out", "set.parquet"]);
    let merged = fs::read(folder.join("set.parquet")).unwrap();
    assert!(merged == index(&images, &labels, &folder.join("whole.parquet")));

    let triage = ["triage", "--index", "set.parquet", "--out", "triaged"];
    cluster.killed_and_merged(&triage, &["merge", "triaged", "--out", "result"]);
    for arguments in [
        &["triage", "--index", "set.parquet", "--out", "one"][..],
        &["merge", "one", "--out", "whole"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
        let output = command.current_dir(folder).args(arguments).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", text(&output));
    }
    for table in ["worklist.csv", "studies.parquet"] {
        let [result, whole] = ["result", "whole"].map(|it| fs::read(folder.join(it).join(table)));
        assert!(result.unwrap() == whole.unwrap(), "{table}");
    }
    let worklist = fs::read_to_string(folder.join("result/worklist.csv")).unwrap();
    assert!(worklist.lines().count() > STUDIES, "{worklist}");
}

#[test]
fn tasks_that_are_not_all_say_of_how_many_shares_they_are() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = cluster.folder.path();
    let program = folder.join("hemora.sh");
    fs::write(&program, "#!/bin/sh\necho asked for \"$@\"\nexit 3\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let job = cluster.submit(&["--array=2,3"], "share.sbatch", &program, &["index", "a"]);
    let told = ["--array=2", "--export=ALL,HEMORA_SHARES=6"];
    let other = cluster.submit(&told, "share.sbatch", &program, &["index", "a"]);
    until("the end of all jobs", || cluster.queue().trim().is_empty());
    let log = cluster.read(&format!("hemora-share-{job}_2.log"));
    assert!(log.contains("HEMORA_SHARES=N") && !log.contains("asked for"), "{log}");
    let log = cluster.read(&format!("hemora-share-{other}_2.log"));
    assert!(log.contains("asked for index a --shard 2/6 --threads 1"), "{log}");
}
