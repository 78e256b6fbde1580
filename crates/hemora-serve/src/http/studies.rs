//! Studies, their results, revisions and deliveries.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use hemora_ct::NOTICE;
use hemora_store::{Class, ListQuery, StoreError, StudyRow, StudyState};
use serde::Deserialize;

use super::Node;
use super::answer::{Answer, Refused, blocking};
use super::types::{Done, Study, StudyDelivery, StudyList, StudyRevision, Who};

/// Which studies.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    state: Option<String>,
    class: Option<String>,
    since: Option<DateTime<Utc>>,
    q: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

impl Wanted {
    fn query(self) -> Result<ListQuery, Refused> {
        let limit = self.limit.unwrap_or(50);
        if !(1..=ListQuery::LONGEST).contains(&limit) {
            let longest = ListQuery::LONGEST;
            return Err(Refused::bad(format!("limit is {limit}; 1 to {longest} can be asked for")));
        }
        let state = self.state.map(|word| {
            StudyState::from_word(&word)
                .ok_or_else(|| Refused::bad(format!("there is no state {word:?}")))
        });
        let class = self.class.map(|word| {
            Class::from_word(&word)
                .ok_or_else(|| Refused::bad(format!("there is no class {word:?}")))
        });
        let after = self.after.map(|cursor| cursor.parse()).transpose()?;
        Ok(ListQuery {
            state: state.transpose()?,
            class: class.transpose()?,
            since: self.since,
            text: self.q.filter(|text| !text.is_empty()),
            limit,
            after,
        })
    }
}

/// A page of the ranked list.
pub(super) async fn list(
    State(node): State<Node>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer<StudyList> {
    let Query(wanted) = wanted?;
    blocking(move || {
        let page = node.store.studies(&wanted.query()?)?;
        let studies = page.rows.into_iter().map(Study::from).collect();
        let next = page.next.map(|cursor| cursor.to_string());
        Ok(StudyList { studies, next, notice: NOTICE })
    })
    .await
}

fn known(node: &Node, uid: &str) -> Result<StudyRow, Refused> {
    Ok(node.store.study(uid)?.ok_or_else(|| StoreError::NoStudy(uid.to_owned()))?)
}

/// One study.
pub(super) async fn study(State(node): State<Node>, Path(uid): Path<String>) -> Answer<Study> {
    blocking(move || Ok(known(&node, &uid)?.into())).await
}

/// Which result.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WhichResult {
    revision: Option<u32>,
}

/// The result, as `hemora triage` writes it.
pub(super) async fn result(
    State(node): State<Node>,
    Path(uid): Path<String>,
    which: Result<Query<WhichResult>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(which) = which?;
    let found = blocking(move || {
        known(&node, &uid)?;
        let result = node.store.result(&uid, which.revision)?;
        let missing = || Refused::not_found(format!("the study {uid} has no such result"));
        Ok(result.ok_or_else(missing)?.json)
    });
    let Json(json) = found.await?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

/// The revisions, oldest first.
pub(super) async fn revisions(
    State(node): State<Node>,
    Path(uid): Path<String>,
) -> Answer<Vec<StudyRevision>> {
    blocking(move || {
        known(&node, &uid)?;
        Ok(node.store.revisions(&uid)?.into_iter().map(StudyRevision::from).collect())
    })
    .await
}

/// What is sent, oldest first.
pub(super) async fn deliveries(
    State(node): State<Node>,
    Path(uid): Path<String>,
) -> Answer<Vec<StudyDelivery>> {
    blocking(move || {
        known(&node, &uid)?;
        Ok(node.store.deliveries(&uid)?.into_iter().map(StudyDelivery::from).collect())
    })
    .await
}

/// Whoever asks, by name.
fn named(who: Result<Json<Who>, JsonRejection>) -> Result<String, Refused> {
    let Json(Who { who }) = who?;
    match who.trim() {
        "" => Err(Refused::bad("`who` is empty: what is changed is written down with a name")),
        name => Ok(name.to_owned()),
    }
}

/// Has a study scored again.
pub(super) async fn rescore(
    State(node): State<Node>,
    Path(uid): Path<String>,
    who: Result<Json<Who>, JsonRejection>,
) -> Answer<Done> {
    let who = named(who)?;
    blocking(move || {
        let revision = node.store.rescore(&uid, &who, Utc::now())?;
        Ok(Done { done: format!("revision {} waits to be scored", revision.revision) })
    })
    .await
}

/// Has a delivery sent now.
pub(super) async fn retry(
    State(node): State<Node>,
    Path((uid, id)): Path<(String, i64)>,
    who: Result<Json<Who>, JsonRejection>,
) -> Answer<Done> {
    let who = named(who)?;
    blocking(move || {
        known(&node, &uid)?;
        if !node.store.deliveries(&uid)?.iter().any(|delivery| delivery.id == id) {
            return Err(StoreError::NoDelivery(id).into());
        }
        node.store.retry_delivery(id, &who, Utc::now())?;
        Ok(Done { done: format!("delivery {id} is sent again") })
    })
    .await
}
