//! The thresholds of the site.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::{Extension, Json};

use super::Node;
use super::answer::{Answer, Refused, blocking};
use super::types::{Done, NewThresholds, ThresholdsNow, ThresholdsThen};
use crate::access::Asker;
use crate::config::Thresholds;

/// Those that hold, and how they came about.
pub(super) async fn get(State(node): State<Node>) -> Answer<ThresholdsNow> {
    blocking(move || {
        let history = node.threshold_history()?.into_iter().map(|setting| ThresholdsThen {
            at: setting.at,
            who: setting.who,
            why: setting.why,
            thresholds: serde_json::from_str(&setting.value).unwrap_or_default(),
        });
        Ok(ThresholdsNow { history: history.collect(), thresholds: node.thresholds() })
    })
    .await
}

/// Sets them. Results that are there keep theirs until they are scored again.
pub(super) async fn set(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    new: Result<Json<NewThresholds>, JsonRejection>,
) -> Answer<Done> {
    let Json(mut new) = new?;
    if node.config.http.login {
        // Whoever is logged in answers for them, whatever name was written.
        new.who.clone_from(&asker.name);
        if let Some(thresholds) = &mut new.thresholds {
            thresholds.who = asker.name;
        }
    }
    if let Some(Err(error)) = new.thresholds.as_ref().map(Thresholds::check) {
        return Err(Refused::bad(error.to_string()));
    }
    blocking(move || {
        let (who, why) = match &new.thresholds {
            Some(thresholds) => (thresholds.who.clone(), thresholds.why.clone()),
            None => (new.who, new.why),
        };
        if who.trim().is_empty() || why.trim().is_empty() {
            return Err(Refused::bad(
                "`who` and `why` are needed: thresholds change with a reason",
            ));
        }
        node.set_thresholds(new.thresholds.as_ref(), &who, &why)?;
        Ok(Done { done: "the thresholds hold for what is scored from now on".to_owned() })
    })
    .await
}
