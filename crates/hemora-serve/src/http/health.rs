//! Whether the node lives and takes images, and its figures.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::Utc;

use super::Node;
use super::answer::Refused;

/// Type of the text that Prometheus reads.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// After so long without a sign the scorer is held to hang, seconds. One study takes seconds.
const SCORER_HANGS: i64 = 600;

/// The figures.
pub(super) async fn metrics(State(node): State<Node>) -> Response {
    let text = tokio::task::spawn_blocking(move || {
        node.observe();
        node.metrics.text()
    });
    match text.await {
        Ok(text) => ([(CONTENT_TYPE, PROMETHEUS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether the program runs: it answers.
pub(super) async fn live() -> &'static str {
    "alive\n"
}

/// Whether images are taken and scored.
pub(super) async fn ready(State(node): State<Node>) -> Result<&'static str, Refused> {
    let not_ready = |why: String| Refused::new(StatusCode::SERVICE_UNAVAILABLE, why);
    let asked = tokio::task::spawn_blocking(move || {
        let counts = node.observe().ok_or("the database does not answer")?;
        let reserve = node.config.keep.reserve.0;
        if counts.disk_free < reserve {
            return Err("the disk has less free than `[keep] reserve`: no images are taken");
        }
        match node.scorer_seen() {
            None => Err("the model is being loaded"),
            Some(seen) if (Utc::now() - seen).num_seconds() > SCORER_HANGS => {
                Err("the scorer has not moved for ten minutes")
            }
            Some(_) => Ok("ready\n"),
        }
    });
    match asked.await {
        Ok(answer) => answer.map_err(|why| not_ready(why.to_owned())),
        Err(_) => Err(not_ready("the node failed; the log has more".to_owned())),
    }
}
