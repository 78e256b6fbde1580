//! The audit, by administrators.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use hemora_store::{AuditError, AuditQuery, AuditRow};
use serde::Deserialize;

use crate::http::Node;
use crate::http::answer::{Answer, Refused, blocking};
use crate::http::types::{AuditEntry, AuditPage, AuditVerified};

/// Rows of a page, at most.
const LONGEST: usize = 500;

/// Which rows.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    who: Option<String>,
    what: Option<String>,
    study: Option<String>,
    before: Option<i64>,
    limit: Option<usize>,
}

/// A page of it, newest first.
pub(crate) async fn page(
    State(node): State<Node>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer<AuditPage> {
    let Query(Wanted { who, what, study, before, limit }) = wanted?;
    let limit = limit.unwrap_or(100);
    if !(1..=LONGEST).contains(&limit) {
        return Err(Refused::bad(format!("limit is {limit}; 1 to {LONGEST} can be asked for")));
    }
    blocking(move || {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let query =
            AuditQuery { who: said(who), what: said(what), study: said(study), before, limit };
        let rows = node.store.audit_page(&query)?;
        let next = rows.last().filter(|row| rows.len() == limit && row.n > 1).map(|row| row.n);
        Ok(AuditPage { rows: rows.into_iter().map(entry).collect(), next })
    })
    .await
}

fn entry(row: AuditRow) -> AuditEntry {
    let AuditRow { n, at, who, what, study, detail, hash } = row;
    AuditEntry { n, at, who, what, study, detail, hash: hemora_base::hex(&hash) }
}

/// Checks its chain.
pub(crate) async fn verify(State(node): State<Node>) -> Answer<AuditVerified> {
    blocking(move || match node.store.verify_audit() {
        Ok(rows) => Ok(AuditVerified { rows, problem: None }),
        Err(error @ AuditError::Changed { row }) => {
            let rows = u64::try_from(row - 1).unwrap_or_default();
            Ok(AuditVerified { rows, problem: Some(error.to_string()) })
        }
        Err(AuditError::Store(error)) => Err(error.into()),
    })
    .await
}
