//! What all parts of a node work with.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use hemora_store::{Counts, Setting, Store, StoreError};
use tokio::sync::watch;

use crate::access::Access;
use crate::arrivals::Arrivals;
use crate::commitments::Commitments;
use crate::config::{Config, Thresholds};
use crate::forms::Templates;
use crate::http::types::ModelState;
use crate::looks::Looks;
use crate::metrics::{Metrics, State};
use crate::view::Images;

/// Name of the setting that holds the thresholds of the site.
const THRESHOLDS: &str = "thresholds";

/// What all parts of a node work with.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) templates: Templates,
    pub(crate) store: Store,
    pub(crate) arrivals: Arrivals,
    pub(crate) commitments: Commitments,
    pub(crate) metrics: Metrics,
    pub(crate) access: Access,
    pub(crate) images: Images,
    pub(crate) looks: Looks,
    /// When the node started.
    pub(crate) started_at: DateTime<Utc>,
    /// The model that scores, once it is loaded.
    pub(crate) model: OnceLock<ModelState>,
    /// UID of this installation.
    pub(crate) uid: String,
    pub(crate) stop: Stop,
    /// Grows with every change of the list.
    pub(crate) changes: watch::Sender<u64>,
    /// What ended the node.
    failure: Mutex<Option<String>>,
    /// When the scorer showed that it lives, as milliseconds since 1970; 0 before the first time.
    scorer_seen: AtomicU64,
}

impl Shared {
    pub(crate) fn new(config: Config, templates: Templates, store: Store, uid: String) -> Self {
        Self {
            config,
            templates,
            store,
            arrivals: Arrivals::default(),
            commitments: Commitments::default(),
            metrics: Metrics::new(),
            access: Access::default(),
            images: Images::default(),
            looks: Looks::default(),
            started_at: Utc::now(),
            model: OnceLock::new(),
            uid,
            stop: Stop::default(),
            changes: watch::Sender::new(0),
            failure: Mutex::default(),
            scorer_seen: AtomicU64::new(0),
        }
    }

    /// The thresholds of the site: those set last at the node, else those of the configuration.
    pub(crate) fn thresholds(&self) -> Option<Thresholds> {
        let set = self.store.setting(THRESHOLDS).ok().flatten();
        let set = set.and_then(|setting| serde_json::from_str(&setting.value).ok());
        set.unwrap_or_else(|| self.config.score.thresholds.clone())
    }

    /// Sets the thresholds of the site; `None` for those of the configuration or the model.
    pub(crate) fn set_thresholds(
        &self,
        thresholds: Option<&Thresholds>,
        who: &str,
        why: &str,
    ) -> Result<(), StoreError> {
        let value = serde_json::to_string(&thresholds).expect("thresholds have a JSON form");
        self.store.set_setting(THRESHOLDS, &value, who, why, Utc::now())
    }

    /// Every value that the thresholds of the site had, oldest first.
    pub(crate) fn threshold_history(&self) -> Result<Vec<Setting>, StoreError> {
        self.store.setting_history(THRESHOLDS)
    }

    /// Ends the node, which cannot go on.
    pub(crate) fn fail(&self, problem: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(problem);
        drop(failure);
        self.stop.set();
    }

    /// What ended the node.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The figures that are looked up rather than counted; `None` if the database does not answer.
    pub(crate) fn observe(&self) -> Option<Counts> {
        let counts = self.store.counts().ok()?;
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (state, count) in &counts.studies {
            let state = State { state: state.as_str().replace(' ', "_") };
            self.metrics.studies.get_or_create(&state).set(signed(*count));
        }
        self.metrics.queue.set(signed(counts.jobs_waiting + counts.jobs_leased));
        let sum = |of: fn(&hemora_store::OutboxCounts) -> u64| {
            signed(counts.outbox.values().map(of).sum())
        };
        let figures = [("waiting", sum(|it| it.waiting)), ("given_up", sum(|it| it.given_up))];
        for (state, count) in figures {
            let state = State { state: state.to_owned() };
            self.metrics.outbox.get_or_create(&state).set(count);
        }
        self.metrics.free.set(counts.disk_free as f64);
        Some(counts)
    }

    /// The scorer lives.
    pub(crate) fn scorer_lives(&self) {
        let now = u64::try_from(Utc::now().timestamp_millis()).unwrap_or(1);
        self.scorer_seen.store(now, Ordering::Relaxed);
    }

    /// When the scorer showed that it lives.
    pub(crate) fn scorer_seen(&self) -> Option<DateTime<Utc>> {
        match self.scorer_seen.load(Ordering::Relaxed) {
            0 => None,
            millis => DateTime::from_timestamp_millis(i64::try_from(millis).ok()?),
        }
    }
}

/// Whether the node ends, and sleeps that an end cuts short.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    now: AtomicBool,
    lock: Mutex<()>,
    ended: Condvar,
}

impl Stop {
    /// Ends the node.
    pub(crate) fn set(&self) {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.now.store(true, Ordering::SeqCst);
        self.ended.notify_all();
    }

    /// Whether the node ends.
    pub(crate) fn is_set(&self) -> bool {
        self.now.load(Ordering::SeqCst)
    }

    /// Sleeps; whether the node goes on.
    pub(crate) fn sleep(&self, length: Duration) -> bool {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.wait_timeout_while(lock, length, |()| !self.is_set());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        !self.is_set()
    }
}
