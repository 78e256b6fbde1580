//! The ranked list as a plain page: no script, read again every few seconds by the browser.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use hemora_ct::NOTICE;
use hemora_page::{Markup, Page, notice, number, or_dash, section, short, table_of};
use hemora_store::{Class, ListQuery, StudyRow, StudyState};
use maud::html;

use super::Node;
use super::answer::Refused;

/// Rows of the page.
const ROWS: usize = 100;

const STYLE: &str = ".positive{font-weight:700}.state{white-space:nowrap}";

/// The page.
pub(super) async fn worklist(State(node): State<Node>) -> Result<Response, Refused> {
    let page = tokio::task::spawn_blocking(move || {
        let query = ListQuery { limit: ROWS, ..ListQuery::default() };
        let page = node.store.studies(&query).map_err(Refused::from)?;
        let more = page.next.is_some();
        let mut html = Vec::new();
        let shown = Page {
            title: "Hemora: worklist",
            style: STYLE,
            skip: Some(("worklist", "Skip to the worklist")),
            header: html! {
                h1 { "Hemora worklist" }
                (notice(NOTICE, None))
            },
            notice: NOTICE,
        };
        let written = shown.write(&mut html, [list(&page.rows, more, Utc::now())]);
        written.map_err(|error| Refused::bad(error.to_string()))?;
        Ok::<_, Refused>(html)
    });
    let page =
        page.await.map_err(|_| Refused::bad("the page could not be made; see the log"))??;
    // The plain page has no script: the browser is told to ask again.
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8"), (REFRESH, "5")], page).into_response())
}

/// Header by which a browser reads a page again; understood everywhere, in no standard.
const REFRESH: axum::http::HeaderName = axum::http::HeaderName::from_static("refresh");

fn list(rows: &[StudyRow], more: bool, now: DateTime<Utc>) -> Markup {
    let heads = [
        "Rank",
        "Class",
        "Any hemorrhage",
        "Leading subtype",
        "Patient",
        "Accession",
        "Study",
        "Images",
        "Since the last image",
        "State",
    ];
    section(
        "worklist",
        "Worklist",
        html! {
            @if rows.is_empty() {
                p { "No study has arrived yet. Send images to the DICOM port of this node." }
            } @else {
                p {
                    "Positive studies first, by probability, then those of which nothing sure can be \
                     said, then the rest, newest first. A low probability does not exclude hemorrhage."
                }
                (table_of("worklist", heads, html! {
                    @for (index, study) in rows.iter().enumerate() { (row(index + 1, study, now)) }
                }))
                @if more { p { "There are more studies than these; the API lists all." } }
            }
        },
    )
}

fn row(rank: usize, study: &StudyRow, now: DateTime<Utc>) -> Markup {
    let positive = study.class == Some(Class::Positive);
    html! {
        tr {
            td { (rank) }
            td {
                span class=[positive.then_some("positive")] { (class_in_words(study.class)) }
                @if let Some(reason) = &study.reason { br; small { (reason) } }
            }
            td { (study.probability.map_or_else(|| "–".to_owned(), number::fine_probability)) }
            td { (study.label.as_deref().unwrap_or("–")) }
            td { (or_dash(&study.patient_name)) br; small { (short(&study.patient_id)) } }
            td { (or_dash(&study.accession_number)) }
            td { (or_dash(&study.description)) br; small class="uid" { (short(&study.study_uid)) } }
            td { (study.instances) }
            td { (since(study.last_at, now)) }
            td class="state" {
                (study.state.as_str())
                @if study.state == StudyState::Receiving && study.revision > 0 { br; "again" }
                @if let Some(error) = &study.last_error { br; small { (error) } }
                @if !study.warnings.is_empty() {
                    br; small { (study.warnings.join("; ")) }
                }
            }
        }
    }
}

/// The class by a shape and a word, never by colour alone.
fn class_in_words(class: Option<Class>) -> &'static str {
    match class {
        Some(Class::Positive) => "▲ positive",
        Some(Class::NotSure) => "◆ not sure",
        Some(Class::Negative) => "○ negative",
        Some(Class::NotScored) => "× not scored",
        None => "… waiting",
    }
}

fn since(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - then).num_seconds().max(0);
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_are_read_at_a_glance() {
        let now = Utc::now();
        let of = |seconds| since(now - chrono::TimeDelta::seconds(seconds), now);
        assert_eq!(
            [of(7), of(125), of(7_500), of(180_000)],
            ["7 s", "2 min", "2 h 5 min", "2 d 2 h"]
        );
        assert_eq!(of(-60), "0 s", "a clock that was set back");
    }
}
