//! Studies to results: the thread that leases jobs, and between them scores what arrives.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use hemora_infer::{
    LoadedModel, MapSink, OutputMemory, Pictures, ScoredSliceMaps, Step, Triage, TriageError,
    TriageInput,
};
use hemora_io::{Collection, ReadOptions, collect_sources, list_sources};
use hemora_model::TriageOutput;
use hemora_store::{InstanceRow, Job, JobFate, StoreError, StudyRow};
use tracing::{error, info, warn};

use crate::answers::{Answer, answer};
use crate::http::types::ModelState;
use crate::shared::Shared;

/// How long a job is leased; it is renewed in a quarter of that.
const LEASE: Duration = Duration::from_secs(60);

/// How long the scorer waits for work before it looks again.
const PATIENCE: Duration = Duration::from_millis(500);

/// Key slices of a study.
const KEY_SLICES: usize = 3;

/// What scoring makes of a study.
pub(crate) struct Scored {
    pub(crate) output: TriageOutput,
    /// The headers that it was made of.
    pub(crate) collection: Collection,
    pub(crate) maps: Vec<ScoredSliceMaps>,
}

/// Scores studies with one model.
pub(crate) struct Scorer {
    shared: Arc<Shared>,
    model: LoadedModel,
    memory: Arc<StoreMemory>,
    /// Images of each arriving study when it was last scored.
    scored: BTreeMap<String, u64>,
    owner: String,
}

impl Scorer {
    pub(crate) fn new(shared: Arc<Shared>, model: LoadedModel) -> Self {
        let memory = Arc::new(StoreMemory { shared: Arc::clone(&shared), study: Mutex::default() });
        let model = model.remembering(&(Arc::clone(&memory) as Arc<dyn OutputMemory>));
        let owner = format!("scorer of process {}", std::process::id());
        let known = model.model().model_ref();
        let state = ModelState {
            name: known.name,
            version: known.version,
            sha256: known.sha256,
            engine: model.engine().to_owned(),
            card: model.model().card().to_owned(),
        };
        shared.model.get_or_init(|| state);
        Self { shared, model, memory, scored: BTreeMap::new(), owner }
    }

    /// Scores until the node ends.
    pub(crate) fn run(mut self) {
        while !self.shared.stop.is_set() {
            self.shared.scorer_lives();
            let seen = self.shared.store.changes();
            let worked = match self.shared.store.lease(&self.owner, Utc::now(), LEASE) {
                Ok(Some(job)) => {
                    self.score_job(&job);
                    true
                }
                Ok(None) => self.score_arriving(),
                Err(problem) => {
                    error!(%problem, "no job can be leased");
                    false
                }
            };
            if !worked {
                self.shared.store.wait_for_change(seen, PATIENCE);
            }
        }
    }

    fn score_job(&self, job: &Job) {
        let start = Instant::now();
        let study = job.study_uid.as_str();
        match self.try_job(job) {
            Ok(()) => {
                let seconds = start.elapsed().as_secs_f64();
                info!(study, revision = job.revision, seconds, "scored");
            }
            Err(Failed::Stopped) => {
                if let Err(error) = self.shared.store.release(job) {
                    warn!(study, %error, "a job is not given back; its lease ends by itself");
                }
            }
            Err(Failed::Store(StoreError::LeaseLost { .. })) => {
                warn!(
                    study,
                    revision = job.revision,
                    "another scorer has the job, or a newer revision"
                );
            }
            Err(failed) => {
                let problem = failed.to_string();
                match self.shared.store.fail(job, &problem, Utc::now()) {
                    Ok(JobFate::Retry(at)) => {
                        warn!(study, problem, %at, "scoring failed, tried again")
                    }
                    Ok(JobFate::Dead) => error!(study, problem, "scoring failed for good"),
                    Err(error) => error!(study, problem, %error, "a failed job is not noted"),
                }
            }
        }
    }

    fn try_job(&self, job: &Job) -> Result<(), Failed> {
        let row = self.shared.store.study(&job.study_uid)?;
        let row = row.ok_or_else(|| StoreError::NoStudy(job.study_uid.clone()))?;
        let instances = self.shared.store.instances_of(&job.study_uid, job.revision)?;
        let images = used(instances);
        let scored = self.triage(&job.study_uid, &images, Some(job))?;
        let answer = answer(&self.shared, &self.model, job, &row, scored)?;
        self.shared.store.renew(job, Utc::now(), LEASE)?;
        let Answer { result, deliveries, artifacts, warnings } = answer;
        let probability = result.probability;
        self.shared.store.complete(job, result, deliveries, artifacts)?;
        for warning in warnings {
            warn!(study = job.study_uid, warning);
            self.shared.store.warn(&job.study_uid, &warning)?;
        }
        let waited = (Utc::now() - row.last_at).to_std().unwrap_or_default();
        self.shared.metrics.to_result.observe(waited.as_secs_f64());
        if let Some(probability) = probability {
            self.shared.metrics.probability.observe(probability);
        }
        Ok(())
    }

    fn triage(&self, study: &str, images: &[PathBuf], job: Option<&Job>) -> Result<Scored, Failed> {
        self.memory.begin(study);
        let renewed = Mutex::new(Instant::now());
        let stopped = Mutex::new(None);
        let go_on = || match self.go_on(job, &renewed) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failed) => {
                *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed);
                ControlFlow::Break(())
            }
        };
        let read = |_, _| go_on();
        let options = ReadOptions::default();
        let collection = collect_sources(list_sources(images), &options, &read);
        let maps = Mutex::new(Vec::new());
        let keep = |more: Vec<ScoredSliceMaps>| {
            maps.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
        };
        let pictures = Pictures { studies: usize::from(job.is_some()), slices: KEY_SLICES };
        let wanted = job.is_some().then_some(MapSink::Slices(&keep));
        let triage = Triage { pictures, maps: wanted, ..Triage::new(&self.model) };
        let output = match &collection {
            Some(collection) => triage.run(TriageInput::Collection(collection), &|_| go_on()),
            None => Err(TriageError::Cancelled { step: Step::ReadHeaders }),
        };
        let stopped = stopped.into_inner().unwrap_or_else(PoisonError::into_inner);
        let maps = maps.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (output, stopped) {
            (_, Some(failed)) => Err(failed),
            (Ok(output), None) => {
                Ok(Scored { output, collection: collection.unwrap_or_default(), maps })
            }
            (Err(cancelled), None) => Err(cancelled.into()),
        }
    }

    /// Renews the lease where it is time to; an error stops the scoring.
    fn go_on(&self, job: Option<&Job>, renewed: &Mutex<Instant>) -> Result<(), Failed> {
        if self.shared.stop.is_set() {
            return Err(Failed::Stopped);
        }
        let Some(job) = job else { return Ok(()) };
        let mut renewed = renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed.elapsed() > LEASE / 4 {
            self.shared.scorer_lives();
            self.shared.store.renew(job, Utc::now(), LEASE)?;
            *renewed = Instant::now();
        }
        Ok(())
    }

    /// Scores one study that arrives, if there is enough new of it: what is found is not kept but for the
    /// memory of the networks' outputs and the probability by which jobs are ordered. Whether it did.
    fn score_arriving(&mut self) -> bool {
        let arriving = match self.shared.store.receiving() {
            Ok(arriving) => arriving,
            Err(error) => {
                error!(%error, "what arrives is not known");
                return false;
            }
        };
        self.scored.retain(|study, _| arriving.iter().any(|row| row.study_uid == *study));
        let worth = |row: &&StudyRow| {
            let before = self.scored.get(&row.study_uid).copied().unwrap_or(0);
            // Each time a quarter more, so that all times together cost a few times the last one's reading.
            row.instances > before && row.instances >= (before + before / 4).max(4)
        };
        let Some(row) = arriving.iter().find(worth) else { return false };
        let (study, count) = (row.study_uid.clone(), row.instances);
        let images = self.shared.store.instances(&study).map(used).map_err(Failed::from);
        let scored = images.and_then(|images| self.triage(&study, &images, None));
        self.scored.insert(study.clone(), count);
        match scored {
            Ok(scored) => {
                let any =
                    scored.output.result.studies.iter().map(|it| f64::from(it.probabilities.any));
                if let Some(any) = any.reduce(f64::max) {
                    let noted = self.shared.store.note_partial(&study, any, Utc::now());
                    noted.unwrap_or_else(|error| warn!(study, %error, "not noted"));
                }
            }
            Err(Failed::Stopped) => {}
            Err(error) => warn!(study, %error, "what arrives is not scored yet"),
        }
        true
    }
}

/// Files of the images that are used.
fn used(instances: Vec<InstanceRow>) -> Vec<PathBuf> {
    instances.into_iter().filter(|instance| !instance.superseded).map(|it| it.path).collect()
}

/// Why a job is not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("the node ends")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Triage(#[from] TriageError),
    #[error("{0}")]
    Answer(String),
}

/// The memory of the networks' outputs, kept with the study that is scored at the moment.
struct StoreMemory {
    shared: Arc<Shared>,
    study: Mutex<String>,
}

impl StoreMemory {
    fn begin(&self, study: &str) {
        study.clone_into(&mut self.study.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl OutputMemory for StoreMemory {
    fn get(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        self.shared.store.remembered(key).ok().flatten()
    }

    fn put(&self, key: &[u8; 32], output: &[u8]) {
        let study = self.study.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Err(error) = self.shared.store.remember(key, &study, output) {
            warn!(study, %error, "the output of a network is not kept; it will be computed again");
        }
    }
}
