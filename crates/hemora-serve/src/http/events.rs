//! Server-sent events: the list changed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;

use super::Node;

/// A stream of changes. Each event is named `change` and holds a number that grows; what changed is in the
/// list.
pub(super) async fn events(
    State(node): State<Node>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // The first event comes at once, so that nothing is missed between the list and the stream.
    let mut receiver = node.changes.subscribe();
    receiver.mark_changed();
    let changes = unfold(receiver, |mut receiver| async move {
        receiver.changed().await.ok()?;
        let number = *receiver.borrow_and_update();
        Some((Ok(Event::default().event("change").data(number.to_string())), receiver))
    });
    Sse::new(changes).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
