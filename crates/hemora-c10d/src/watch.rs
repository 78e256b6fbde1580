//! Who is alive: every rank gives signs of life in the store and looks for those of the others.
//!
//! A thread does it, with a connection of its own, so that a rank that waits in a collective still
//! beats and a rank that hangs in one still ends. The first rank that finds another lost writes who
//! it was; all read it, say it and end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::shim::{C10dError, Store, leave};

/// Between two signs of life.
const BEAT: Duration = Duration::from_millis(500);
/// A rank without a sign of life for so long is lost; a loaded machine may be slow.
const SILENCE: Duration = Duration::from_secs(30);
/// The same once a collective has failed: then some rank is lost, the question is which.
const SILENCE_AFTER_FAILURE: Duration = Duration::from_secs(4);
/// Waited for a lost rank to become known after a collective has failed.
const VERDICT: Duration = Duration::from_secs(6);
/// Waited by the keeper of the store for the others to read why the job ends.
const LINGER: Duration = Duration::from_millis(1500);

const END: &str = "end";
const DONE: &str = "done";

/// What the thread knows of the job.
#[derive(Debug, Clone)]
pub struct Job {
    /// This rank.
    pub rank: usize,
    /// Each rank with host and process number.
    pub names: Vec<String>,
    /// Whether this rank keeps the store.
    pub serves: bool,
    /// Who keeps the store, in words.
    pub keeper: String,
    /// What to do after the job has ended.
    pub hint: String,
}

#[derive(Debug, Default)]
struct State {
    collectives: u64,
    failure: Option<(Instant, String)>,
    stopping: bool,
    quiet: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running thread.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The key of a rank's signs of life.
pub fn beat_key(rank: usize) -> String {
    format!("beat/{rank}")
}

/// Writes why the job ends, unless another rank has; the first reason counts.
pub fn claim_end(store: &Store, job: &Job, reason: &str) {
    // Without a store there is nobody to tell.
    if store.claim(END, reason).is_ok() && job.serves {
        std::thread::sleep(LINGER);
    }
}

impl Watch {
    /// Starts the thread. Every rank has written a first sign of life.
    pub fn start(job: Job, store: Store) -> Self {
        let shared = Arc::<Shared>::default();
        let for_thread = shared.clone();
        let thread = std::thread::spawn(move || Watcher::new(job, store, for_thread).run());
        Self { shared, thread: Mutex::new(Some(thread)) }
    }

    /// Tells that this rank enters another collective.
    pub fn enters_collective(&self) {
        self.shared.state().collectives += 1;
    }

    /// Waits for the end of the process: a collective has failed with `error`.
    pub fn failed(&self, error: &C10dError) -> ! {
        {
            let mut state = self.shared.state();
            state.failure = Some((Instant::now(), error.0.clone()));
            self.shared.wake.notify_all();
        }
        std::thread::sleep(VERDICT + SILENCE);
        eprintln!("error: a collective has failed: {error}");
        leave(1)
    }

    /// Stops the thread; the keeper of the store first waits for the others, unless `quiet`.
    pub fn stop(&self, quiet: bool) {
        {
            let mut state = self.shared.state();
            state.stopping = true;
            state.quiet = quiet;
            self.shared.wake.notify_all();
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// What is known of another rank.
#[derive(Debug, Clone)]
struct Sign {
    text: String,
    since: Instant,
}

struct Watcher {
    job: Job,
    store: Store,
    shared: Arc<Shared>,
    signs: Vec<Sign>,
    ticks: u64,
}

impl Watcher {
    fn new(job: Job, store: Store, shared: Arc<Shared>) -> Self {
        let sign = Sign { text: String::new(), since: Instant::now() };
        let signs = vec![sign; job.names.len()];
        Self { job, store, shared, signs, ticks: 0 }
    }

    fn run(mut self) {
        loop {
            match self.tick() {
                Ok(true) => return,
                Ok(false) => {}
                // The keeper itself talks to its own store; without it there is no telling why.
                Err(error) if self.job.serves => {
                    self.end(&format!("the store has failed: {error}"))
                }
                Err(_) => self.leave(&format!("{} is gone", self.job.keeper)),
            }
            let state = self.shared.state();
            let pause = if state.failure.is_some() { BEAT / 5 } else { BEAT };
            if !state.stopping || state.failure.is_some() {
                drop(self.shared.wake.wait_timeout(state, pause));
            } else {
                drop(state);
                std::thread::sleep(BEAT / 10);
            }
        }
    }

    /// One look around; true when there is nothing more to look for.
    fn tick(&mut self) -> Result<bool, C10dError> {
        let (collectives, failure, stopping, quiet) = {
            let state = self.shared.state();
            (state.collectives, state.failure.clone(), state.stopping, state.quiet)
        };
        if quiet {
            return Ok(true);
        }
        self.ticks += 1;
        let beat = if stopping { DONE.to_owned() } else { format!("{} {collectives}", self.ticks) };
        self.store.set(&beat_key(self.job.rank), &beat)?;
        if stopping && !self.job.serves {
            return Ok(true);
        }
        if self.store.has(END)? {
            let reason = self.store.get(END, BEAT)?;
            self.leave(&reason);
        }
        self.look()?;
        let bound = if failure.is_some() { SILENCE_AFTER_FAILURE } else { SILENCE };
        let lost = self.silent(bound);
        if !lost.is_empty() {
            let why = failure.map_or(String::new(), |(_, error)| format!(" ({error})"));
            let silence = bound.as_secs();
            self.end(&format!("{lost}: lost, no sign of life for {silence} s{why}"));
        }
        if let Some((since, error)) = failure
            && since.elapsed() > VERDICT
        {
            let behind = self.behind(collectives);
            self.end(&format!("{}: a collective failed: {error}{behind}", self.own_name()));
        }
        Ok(stopping && self.others().all(|rank| self.signs[rank].text == DONE))
    }

    fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let own = self.job.rank;
        (0..self.job.names.len()).filter(move |rank| *rank != own)
    }

    fn own_name(&self) -> &str {
        &self.job.names[self.job.rank]
    }

    /// Reads the signs of life of all others.
    fn look(&mut self) -> Result<(), C10dError> {
        for rank in self.others() {
            let text = self.store.get(&beat_key(rank), SILENCE)?;
            if self.signs[rank].text != text {
                self.signs[rank] = Sign { text, since: Instant::now() };
            }
        }
        Ok(())
    }

    /// The names of those whose last sign is older than `bound`.
    fn silent(&self, bound: Duration) -> String {
        let silent = |rank: &usize| {
            let sign = &self.signs[*rank];
            sign.text != DONE && sign.since.elapsed() > bound
        };
        let names: Vec<&str> =
            self.others().filter(silent).map(|rank| self.job.names[rank].as_str()).collect();
        names.join(", ")
    }

    /// Who is alive but has entered fewer collectives than this rank.
    fn behind(&self, own: u64) -> String {
        let entered = |rank: usize| self.signs[rank].text.split(' ').nth(1)?.parse::<u64>().ok();
        let names: Vec<String> = self
            .others()
            .filter_map(|rank| {
                let entered = entered(rank).filter(|entered| *entered < own)?;
                Some(format!("; {} has entered {entered} of {own}", self.job.names[rank]))
            })
            .collect();
        names.concat()
    }

    /// Tells all ranks why the job ends, and ends this one.
    fn end(&self, reason: &str) -> ! {
        let _ = self.store.claim(END, reason);
        let first = self.store.get(END, BEAT).unwrap_or_else(|_| reason.to_owned());
        self.print(&first);
        if self.job.serves {
            std::thread::sleep(LINGER);
        }
        leave(1)
    }

    fn leave(&self, reason: &str) -> ! {
        self.print(reason);
        if self.job.serves {
            std::thread::sleep(LINGER);
        }
        leave(1)
    }

    fn print(&self, reason: &str) {
        let (own, hint) = (self.own_name(), &self.job.hint);
        eprintln!("error: {reason}\n  {own} ends with it\n  help: {hint}");
    }
}
