//! Answers: JSON, or why there is none.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::header::RETRY_AFTER;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hemora_store::StoreError;
use serde::Serialize;

use super::types::Problem;

/// An answer, or why there is none.
pub(super) type Answer<T> = Result<Json<T>, Refused>;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    error: String,
    /// After so long it is worth trying again.
    after: Option<Duration>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), after: None }
    }

    /// Says when it is worth trying again (`Retry-After`).
    pub(super) fn after(self, length: Duration) -> Self {
        Self { after: Some(length), ..self }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Problem { error: self.error })).into_response();
        if let Some(after) = self.after {
            // Whole seconds, of which the last has begun.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<JsonRejection> for Refused {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for Refused {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::NoStudy(_)
            | StoreError::NoDelivery(_)
            | StoreError::NoUser(_)
            | StoreError::NoToken(_) => StatusCode::NOT_FOUND,
            StoreError::BadCursor(_) | StoreError::BadValue { .. } => StatusCode::BAD_REQUEST,
            StoreError::LeaseLost { .. }
            | StoreError::Exists { .. }
            | StoreError::LastAdministrator(_)
            | StoreError::NewerResult { .. } => StatusCode::CONFLICT,
            StoreError::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

/// Runs what may wait for the disk where it holds nobody up.
pub(super) async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let error = "the request failed within the node; the log has more";
        Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error))
    })
}

/// As [`waiting`], answered as JSON.
pub(super) async fn blocking<T: Serialize + Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Answer<T> {
    waiting(work).await.map(Json)
}

/// What is not there.
pub(super) async fn unknown(uri: Uri) -> Refused {
    let path = uri.path();
    Refused::not_found(format!("there is no {path}; /api/v1/openapi.json lists what is"))
}
