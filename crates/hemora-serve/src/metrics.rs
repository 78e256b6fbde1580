//! Figures for Prometheus.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// A label of a figure: one name, one value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct State {
    pub(crate) state: String,
}

/// Destination and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Attempt {
    pub(crate) destination: String,
    pub(crate) outcome: &'static str,
}

/// What a reader held of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Word {
    pub(crate) verdict: &'static str,
}

/// The figures. All of them may be counted from any thread.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) stored: Counter,
    pub(crate) refused: Counter,
    pub(crate) store_seconds: Histogram,
    pub(crate) associations: Gauge,
    pub(crate) studies: Family<State, Gauge>,
    pub(crate) queue: Gauge,
    pub(crate) outbox: Family<State, Gauge>,
    pub(crate) to_result: Histogram,
    pub(crate) to_delivered: Histogram,
    pub(crate) attempts: Family<Attempt, Counter>,
    pub(crate) probability: Histogram,
    feedback: Family<Word, Counter>,
    pub(crate) free: Gauge<f64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("hemora");
        let seconds = || {
            Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0])
        };
        let metrics = Self {
            stored: Counter::default(),
            refused: Counter::default(),
            store_seconds: seconds(),
            associations: Gauge::default(),
            studies: Family::default(),
            queue: Gauge::default(),
            outbox: Family::default(),
            to_result: seconds(),
            to_delivered: seconds(),
            attempts: Family::default(),
            probability: Histogram::new((1..=10).map(|tenth| f64::from(tenth) / 10.0)),
            feedback: Family::default(),
            free: Gauge::default(),
            registry: Registry::default(),
        };
        let it = &metrics;
        registry.register("instances_stored", "Images acknowledged", it.stored.clone());
        registry.register("instances_refused", "Images not taken", it.refused.clone());
        let help = "From the last byte of an image to its acknowledgement";
        registry.register_with_unit("store", help, Unit::Seconds, it.store_seconds.clone());
        registry.register("associations", "Associations that are open", it.associations.clone());
        registry.register("studies", "Studies by state", it.studies.clone());
        registry.register("queue_depth", "Studies that wait to be scored", it.queue.clone());
        registry.register("outbox", "Deliveries by state", it.outbox.clone());
        let help = "From the last image of a study to its result";
        registry.register_with_unit(
            "last_image_to_result",
            help,
            Unit::Seconds,
            it.to_result.clone(),
        );
        let help = "From the last image of a study to an acknowledged delivery";
        let delivered = it.to_delivered.clone();
        registry.register_with_unit("last_image_to_delivered", help, Unit::Seconds, delivered);
        registry.register("delivery_attempts", "Attempts to deliver", it.attempts.clone());
        let help = "Probability of any hemorrhage, of studies";
        registry.register("probability", help, it.probability.clone());
        let help = "What readers held of what is said of a label";
        registry.register("feedback", help, it.feedback.clone());
        registry.register_with_unit(
            "disk_free",
            "Free on the data disk",
            Unit::Bytes,
            it.free.clone(),
        );
        Self { registry, ..metrics }
    }

    /// A reader agrees or disagrees with what is said of a label.
    pub(crate) fn count_feedback(&self, agrees: bool) {
        let verdict = if agrees { "agrees" } else { "disagrees" };
        self.feedback.get_or_create(&Word { verdict }).inc();
    }

    /// The figures as Prometheus reads them, in its text format 0.0.4.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes everything");
        prometheus_text(&text)
    }
}

/// OpenMetrics in the older text format, which every scraper and `promtool` read: counters are named whole
/// where they are described, and there are neither units nor an end.
fn prometheus_text(open_metrics: &str) -> String {
    let counters: Vec<&str> = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        let described = ["# HELP ", "# TYPE "].iter().find_map(|start| {
            let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
            counters.contains(&name).then(|| format!("{start}{name}_total {rest}"))
        });
        text.push_str(described.as_deref().unwrap_or(line));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_whole_where_they_are_described() {
        let metrics = Metrics::new();
        metrics.stored.inc();
        let text = metrics.text();
        assert!(text.contains("# TYPE hemora_instances_stored_total counter"), "{text}");
        assert!(text.contains("\nhemora_instances_stored_total 1\n"), "{text}");
        assert!(text.contains("# TYPE hemora_queue_depth gauge"), "{text}");
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
    }
}
