//! Server-sent events: the list changed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::Instant;

use super::Node;
use crate::access::{Asker, still_may};

/// Between two looks whether who listens still may: a stream outlives the session that began it.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// A stream of changes, until the session or token of who listens ends. Each event is named `change` and holds
/// a number that grows; what changed is in the list.
pub(super) async fn events(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // The first event comes at once, so that nothing is missed between the list and the stream.
    let mut receiver = node.changes.subscribe();
    receiver.mark_changed();
    let looks = tokio::time::interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    let begun = (receiver, looks, node, asker);
    let changes = unfold(begun, |(mut receiver, mut looks, node, asker)| async move {
        loop {
            tokio::select! {
                // First, so that no flood of changes keeps a stream open whose session has ended.
                biased;
                _ = looks.tick() => {
                    let (node, asker) = (Arc::clone(&node), asker.clone());
                    let still = tokio::task::spawn_blocking(move || still_may(&node, &asker));
                    still.await.ok().filter(|&still| still)?;
                }
                changed = receiver.changed() => {
                    changed.ok()?;
                    break;
                }
            }
        }
        let number = *receiver.borrow_and_update();
        let event = Event::default().event("change").data(number.to_string());
        Some((Ok(event), (receiver, looks, node, asker)))
    });
    Sse::new(changes).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
