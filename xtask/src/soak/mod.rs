//! A node that is killed (-9) again and again while images come and results go: what it acknowledged is
//! there, once, byte for byte, and every result went out once.

mod archive;
mod check;
mod files;
mod random;
mod sender;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use miette::{Result, miette};
use serde_json::Value;

use crate::bench::table;
use crate::node::{Node, build, free_port, fresh_folder};
use crate::process::log;
use crate::workspace::Workspace;
use archive::Archive;
use check::{Findings, Sent};
use files::Image;
use random::Random;
use sender::Senders;

/// What is done to the node.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Images to send
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..))]
    instances: u32,
    /// Times that the node is killed: seven of ten while it receives, the rest while it scores and delivers
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// It has failed if it is not over by then
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Of the moments at which the node is killed
    #[arg(long, default_value_t = 18)]
    seed: u64,
    /// The hemora to run; by default it is built for release
    #[arg(long)]
    program: Option<PathBuf>,
}

/// Runs it, and prints a table to stdout; an error when something was lost or is there twice.
pub fn soak(workspace: &Workspace, options: &Options) -> Result<()> {
    let program = build(workspace, options.program.as_deref())?;
    let folder = fresh_folder(workspace, "soak")?;
    log(format!("making {} images", options.instances));
    let images = files::make(&program, &folder, options.instances as usize)?;
    let archive = Archive::start(workspace)?;
    let config = format!(
        "[dicom]\nlisten = \"127.0.0.1:{}\"\n[settle]\nquiet = \"200ms\"\n\
         [[destination]]\nname = \"ARCHIVE\"\nkind = \"dicom\"\nae = \"ARCHIVE\"\n\
         host = \"127.0.0.1:{}\"\n",
        free_port()?,
        archive.port()
    );
    let started = Instant::now();
    let mut soak = Soak {
        program,
        folder,
        config,
        random: Random::new(options.seed),
        end: started + Duration::from_secs(60 * options.minutes),
        kills: 0,
        restarts: Vec::new(),
    };
    log(format!("{} kills at moments of seed {}", options.kills, options.seed));
    let (late, timely): (Vec<Image>, Vec<Image>) = images.iter().cloned().partition(files::is_late);
    let [delivering, again] = [options.kills / 5, options.kills / 10];
    let node = soak.start()?;
    let senders = Senders::start(&timely, soak.port()?, soak.end);
    let node =
        soak.kill_while_sending(node, options.kills - delivering - again, &senders, &timely)?;
    let sending = started.elapsed();
    let node = soak.kill_while_delivering(node, delivering, &images, &archive)?;
    soak.wait_until_done(&node, &images)?;
    log(format!("{} late images", late.len()));
    let late_senders = Senders::start(&late, soak.port()?, soak.end);
    let node = soak.kill_while_sending(node, 0, &late_senders, &late)?;
    let node = soak.kill_while_delivering(node, again, &images, &archive)?;
    let studies = soak.wait_until_done(&node, &images)?;
    let over = started.elapsed();
    node.terminate()?;
    let sent = Sent {
        images: &images,
        broken: senders.broken() + late_senders.broken(),
        refused: senders.refused() + late_senders.refused(),
    };
    let findings = Findings::collect(workspace, &soak.folder, &sent, &studies, &archive.objects())?;
    let mut rows = vec![vec!["of the run".to_owned(), "found".to_owned(), "wanted".to_owned()]];
    let mut say =
        |what: &str, found: String| rows.push(vec![what.to_owned(), found, String::new()]);
    say("kills (-9)", soak.kills.to_string());
    say("all but late images acknowledged after, s", format!("{:.0}", sending.as_secs_f64()));
    say("all delivered after, s", format!("{:.0}", over.as_secs_f64()));
    let (median, longest) = soak.restart_times();
    say("start to listening, median and longest, s", format!("{median:.2}, {longest:.2}"));
    rows.extend(findings.rows());
    println!("{}", table(&rows));
    match findings.failed() {
        0 => Ok(()),
        failed => Err(miette!(
            help = format!("{} has the data, node.log what the node said", soak.folder.display()),
            "{failed} checks do not hold"
        )),
    }
}

/// A node that is killed.
struct Soak {
    program: PathBuf,
    folder: PathBuf,
    config: String,
    random: Random,
    end: Instant,
    kills: u32,
    restarts: Vec<f64>,
}

impl Soak {
    fn start(&mut self) -> Result<Node> {
        let node = Node::start(&self.program, &self.folder, &self.config)?;
        self.restarts.push(node.listening().as_secs_f64());
        Ok(node)
    }

    /// Where the node takes images.
    fn port(&self) -> Result<u16> {
        let line = self.config.lines().find(|line| line.starts_with("listen"));
        let port = line.and_then(|line| line.trim_end_matches('"').rsplit(':').next());
        port.and_then(|port| port.parse().ok()).ok_or_else(|| miette!("no port: {line:?}"))
    }

    fn kill(&mut self, node: Node) -> Result<Node> {
        drop(node);
        self.kills += 1;
        self.start()
    }

    fn in_time(&self) -> Result<()> {
        match Instant::now() < self.end {
            true => Ok(()),
            false => Err(miette!("it is not over in the time that --minutes gives it")),
        }
    }

    /// Kills the node `times` times while images come, at moments spread over all of them, and waits
    /// until every image is acknowledged.
    fn kill_while_sending(
        &mut self,
        mut node: Node,
        times: u32,
        senders: &Senders,
        images: &[Image],
    ) -> Result<Node> {
        let part = images.len() as f64 / f64::from(times + 1);
        for kill in 0..times {
            // By images and not by the clock, so that kills do not come too late on a fast machine.
            let moment = (f64::from(kill) + self.random.fraction()) * part;
            while (senders.acknowledged() as f64) < moment {
                self.in_time()?;
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_secs_f64(self.random.fraction() * 0.1));
            node = self.kill(node)?;
            if self.kills.is_multiple_of(10) {
                let count = senders.acknowledged();
                log(format!(
                    "{count} of {} images acknowledged, {} kills",
                    images.len(),
                    self.kills
                ));
            }
        }
        while senders.acknowledged() < images.len() {
            self.in_time()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        log("every image is acknowledged");
        Ok(node)
    }

    /// Kills the node `times` times while it scores and delivers: every other time just when an object
    /// has arrived.
    fn kill_while_delivering(
        &mut self,
        mut node: Node,
        times: u32,
        images: &[Image],
        archive: &Archive,
    ) -> Result<Node> {
        for kill in 0..times {
            let before = archive.objects().len();
            let longest = Instant::now() + Duration::from_secs(10);
            let is_done = |node: &Node| done(node, images).map(|(count, studies)| count == studies);
            while kill.is_multiple_of(2)
                && archive.objects().len() == before
                && Instant::now() < longest
                && !is_done(&node)?
            {
                self.in_time()?;
                std::thread::sleep(Duration::from_millis(1));
            }
            let wait = if kill.is_multiple_of(2) { 0.03 } else { 3.0 };
            std::thread::sleep(Duration::from_secs_f64(self.random.fraction() * wait));
            node = self.kill(node)?;
        }
        Ok(node)
    }

    /// Every study, when all are scored and delivered.
    fn wait_until_done(&self, node: &Node, images: &[Image]) -> Result<Vec<Value>> {
        // An image is acknowledged before the list knows of it.
        std::thread::sleep(Duration::from_secs(2));
        let mut said = Instant::now();
        loop {
            self.in_time()?;
            let (count, studies) = done(node, images)?;
            if count == studies {
                return files::studies(images).map(|uid| study(node, &uid)).collect();
            }
            if said.elapsed() > Duration::from_secs(10) {
                said = Instant::now();
                log(format!("{count} of {studies} studies are done"));
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Seconds from start to listening, of all starts but the first: the median and the longest.
    fn restart_times(&self) -> (f64, f64) {
        let mut times = self.restarts.get(1..).unwrap_or_default().to_vec();
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        (median, times.last().copied().unwrap_or_default())
    }
}

fn study(node: &Node, uid: &str) -> Result<Value> {
    node.get(&format!("/api/v1/studies/{uid}"))
}

/// How many studies are scored and delivered, of how many.
fn done(node: &Node, images: &[Image]) -> Result<(usize, usize)> {
    let (mut count, mut studies) = (0, 0);
    for uid in files::studies(images) {
        studies += 1;
        let study = study(node, &uid)?;
        let is_done = ["delivered", "not scored"].iter().any(|state| study["state"] == *state);
        count += usize::from(is_done);
    }
    Ok((count, studies))
}
