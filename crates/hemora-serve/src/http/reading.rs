//! What readers do with a study: they acknowledge it, agree, disagree and write notes.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use chrono::Utc;
use hemora_ct::Label;
use hemora_store::{Reading, ReadingEvent};

use super::Node;
use super::answer::{Answer, Refused, blocking};
use super::types::{Acknowledged, Done, Feedback, NewNote, ShownRevision};
use crate::access::Asker;

/// Characters of a note.
const LONGEST_NOTE: usize = 2000;

/// Says that the result was seen; whoever was first stays.
pub(super) async fn acknowledge(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path(uid): Path<String>,
    shown: Result<Json<ShownRevision>, JsonRejection>,
) -> Answer<Acknowledged> {
    let Json(ShownRevision { revision }) = shown?;
    blocking(move || {
        let first = node.store.acknowledge(&uid, &asker.name, revision, Utc::now())?;
        Ok(Acknowledged { by: first.by, at: first.at, now: first.now })
    })
    .await
}

/// Takes that back.
pub(super) async fn unacknowledge(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path(uid): Path<String>,
    shown: Result<Json<ShownRevision>, JsonRejection>,
) -> Answer<Done> {
    let Json(ShownRevision { revision }) = shown?;
    blocking(move || {
        let done = match node.store.unacknowledge(&uid, &asker.name, revision, Utc::now())? {
            true => "the acknowledgement is taken back",
            false => "nobody had acknowledged it",
        };
        Ok(Done { done: done.to_owned() })
    })
    .await
}

/// Agrees or disagrees with what is said of a label.
pub(super) async fn feedback(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path(uid): Path<String>,
    feedback: Result<Json<Feedback>, JsonRejection>,
) -> Answer<Done> {
    let Json(Feedback { revision, label, agrees, note }) = feedback?;
    check_length(&note)?;
    blocking(move || {
        let event = if agrees { ReadingEvent::Agreed } else { ReadingEvent::Disagreed };
        let reading = reading(&asker, event, Some(label), note, revision);
        node.store.note_reading(&uid, &reading)?;
        node.metrics.count_feedback(agrees);
        Ok(Done { done: format!("{} is noted", event.as_str()) })
    })
    .await
}

/// Adds a note.
pub(super) async fn note(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path(uid): Path<String>,
    note: Result<Json<NewNote>, JsonRejection>,
) -> Answer<Done> {
    let Json(NewNote { revision, note }) = note?;
    if note.trim().is_empty() {
        return Err(Refused::bad("`note` is empty; write what is to be kept"));
    }
    check_length(&note)?;
    blocking(move || {
        let reading = reading(&asker, ReadingEvent::Noted, None, note, revision);
        node.store.note_reading(&uid, &reading)?;
        Ok(Done { done: "the note is kept".to_owned() })
    })
    .await
}

fn check_length(note: &str) -> Result<(), Refused> {
    let found = note.chars().count();
    match found <= LONGEST_NOTE {
        true => Ok(()),
        false => {
            let error = format!("`note` has {found} characters; {LONGEST_NOTE} can be kept");
            Err(Refused::bad(error))
        }
    }
}

fn reading(
    asker: &Asker,
    event: ReadingEvent,
    label: Option<Label>,
    note: String,
    revision: u32,
) -> Reading {
    let label = label.map(|label| label.name().to_owned());
    Reading { user: asker.name.clone(), event, label, note, revision, at: Utc::now() }
}
