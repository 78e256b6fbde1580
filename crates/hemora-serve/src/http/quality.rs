//! How good the node is at its site.

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::Response;
use chrono::Utc;
use hemora_store::NewAudit;
use serde::Deserialize;

use super::Node;
use super::answer::{Answer, Refused, blocking, waiting};
use super::bodies::of_type;
use super::types::Quality;
use crate::access::Asker;
use crate::quality::{self, REFERENCE};

/// Weeks that can be asked for.
const WEEKS: std::ops::RangeInclusive<u32> = 1..=104;

/// How far back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Span {
    weeks: u32,
}

impl Default for Span {
    fn default() -> Self {
        Self { weeks: 12 }
    }
}

impl Span {
    fn checked(self) -> Result<u32, Refused> {
        if WEEKS.contains(&self.weeks) {
            return Ok(self.weeks);
        }
        let (weeks, low, high) = (self.weeks, WEEKS.start(), WEEKS.end());
        Err(Refused::bad(format!("weeks is {weeks}; {low} to {high} can be asked for")))
    }
}

/// The figures.
pub(super) async fn quality(
    State(node): State<Node>,
    span: Result<Query<Span>, QueryRejection>,
) -> Answer<Quality> {
    let Query(span) = span?;
    let weeks = span.checked()?;
    blocking(move || {
        let now = Utc::now();
        let since = quality::begin(weeks, now);
        let rows = node.store.quality_rows(since)?;
        let first = node.store.first_results(REFERENCE)?;
        Ok(quality::quality(&rows, &first, since, now))
    })
    .await
}

/// The studies behind them.
pub(super) async fn csv(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    span: Result<Query<Span>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(span) = span?;
    let weeks = span.checked()?;
    waiting(move || {
        let now = Utc::now();
        let rows = node.store.quality_rows(quality::begin(weeks, now))?;
        let table = quality::csv(&rows).map_err(|error| {
            let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
            Refused::new(status, format!("the table could not be written: {error}"))
        })?;
        let detail = format!("{} studies of {weeks} weeks as a table", rows.len());
        let row = NewAudit { who: &asker.name, what: "exported", study: None, detail: &detail };
        node.store.audit(row, now)?;
        let mut response = of_type("text/csv; charset=utf-8", table);
        let name = HeaderValue::from_static("attachment; filename=\"quality.csv\"");
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
        Ok(response)
    })
    .await
}
