//! Studies, their results, revisions and deliveries.

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use hemora_ct::NOTICE;
use hemora_store::{Class, ListQuery, StoreError, StudyRow, StudyState};
use serde::Deserialize;

use super::Node;
use super::answer::{Answer, Refused, blocking, waiting};
use super::bodies::of_type;
use super::types::{Done, Study, StudyDelivery, StudyList, StudyRevision};
use super::view::WhichRevision;
use crate::access::Asker;
use crate::looks::{Look, note_look};
use crate::shared::Shared;

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
        let studies = of_rows(&node, page.rows)?;
        let next = page.next.map(|cursor| cursor.to_string());
        Ok(StudyList { studies, next, notice: NOTICE })
    })
    .await
}

/// The row of a study; 404 where there is none.
pub(super) fn known(node: &Shared, uid: &str) -> Result<StudyRow, Refused> {
    Ok(node.store.study(uid)?.ok_or_else(|| StoreError::NoStudy(uid.to_owned()))?)
}

/// Studies of the list, with what readers did with them and how far their answers are.
pub(super) fn of_rows(node: &Shared, rows: Vec<StudyRow>) -> Result<Vec<Study>, Refused> {
    let uids: Vec<String> = rows.iter().map(|row| row.study_uid.clone()).collect();
    let mut extras = node.store.extras(&uids)?;
    let study = |row: StudyRow| {
        let extras = extras.remove(&row.study_uid).unwrap_or_default();
        Study::new(row, extras)
    };
    Ok(rows.into_iter().map(study).collect())
}

/// One study.
pub(super) async fn study(State(node): State<Node>, Path(uid): Path<String>) -> Answer<Study> {
    blocking(move || Ok(of_rows(&node, vec![known(&node, &uid)?])?.remove(0))).await
}

/// The result, as `hemora triage` writes it.
pub(super) async fn result(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path(uid): Path<String>,
    which: Result<Query<WhichRevision>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(which) = which?;
    waiting(move || {
        known(&node, &uid)?;
        let result = node.store.result(&uid, which.revision)?;
        let missing = || Refused::not_found(format!("the study {uid} has no such result"));
        let result = result.ok_or_else(missing)?;
        note_look(&node, &asker, &uid, result.revision, Look::Part("the result"))?;
        Ok(of_type("application/json", result.json.into_bytes()))
    })
    .await
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

/// Has a study scored again.
pub(super) async fn rescore(
    State(node): State<Node>,
    Path(uid): Path<String>,
    Extension(asker): Extension<Asker>,
) -> Answer<Done> {
    blocking(move || {
        let revision = node.store.rescore(&uid, &asker.name, Utc::now())?;
        Ok(Done { done: format!("revision {} waits to be scored", revision.revision) })
    })
    .await
}

/// Has a delivery sent now.
pub(super) async fn retry(
    State(node): State<Node>,
    Path((uid, id)): Path<(String, i64)>,
    Extension(asker): Extension<Asker>,
) -> Answer<Done> {
    blocking(move || {
        known(&node, &uid)?;
        if !node.store.deliveries(&uid)?.iter().any(|delivery| delivery.id == id) {
            return Err(StoreError::NoDelivery(id).into());
        }
        node.store.retry_delivery(id, &asker.name, Utc::now())?;
        Ok(Done { done: format!("delivery {id} is sent again") })
    })
    .await
}
