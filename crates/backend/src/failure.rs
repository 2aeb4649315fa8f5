//! Failures as HTTP: a status that follows from the class of the error, and no word that its reader may not know.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use usufruct::class::Class;
use usufruct::error::Error;
use usufruct::gate::{AnswerError, GateError};
use usufruct::right::Refusal;

/// What goes back in place of an answer: a status that follows from the class of the error, a code for programs and a text for people.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    told: Told,
}

#[derive(Debug, Serialize)]
struct Told {
    code: &'static str,
    text: String,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, text: String) -> Self {
        Self { status, told: Told { code, text } }
    }

    /// To a holder who asked: the refusal, whose text says what its holder may know and nothing else (rule C5).
    pub(crate) fn holder(error: &AnswerError) -> Self {
        let code = match error {
            AnswerError::Refused { refusal, .. } => refusal.code(),
            AnswerError::Failed { .. } | AnswerError::Sealed { .. } => "failed",
            _ => "unavailable",
        };
        Self::new(status(error.class()), code, error.to_string())
    }

    /// To a holder who asks for something again: of the gate's troubles only the class, since the rest is the owner's.
    pub(crate) fn holder_again(error: &GateError) -> Self {
        Self::new(status(error.class()), "unavailable", "the gate cannot tell now".to_owned())
    }

    /// To the owner: everything.
    pub(crate) fn owner(error: impl Into<Error>) -> Self {
        let error = error.into();
        let class = error.class();
        Self::new(status(class), code(class), error.to_string())
    }

    pub(crate) fn bad_input(text: String) -> Self {
        Self::new(status(Class::BadInput), code(Class::BadInput), text)
    }

    pub(crate) fn busy() -> Self {
        Self::new(status(Class::Environment), Refusal::Busy.code(), Refusal::Busy.to_string())
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", "no sealed answer of this request is here".to_owned())
    }

    pub(crate) fn media_type(expected: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code(Class::BadInput), format!("expected content-type: {expected}"))
    }

    /// A thread of ours panicked.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error".to_owned())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self.told)).into_response()
    }
}

/// As [`usufruct::class`] says.
fn status(class: Class) -> StatusCode {
    match class {
        Class::BadInput => StatusCode::BAD_REQUEST,
        Class::Refused => StatusCode::FORBIDDEN,
        Class::Environment => StatusCode::SERVICE_UNAVAILABLE,
        Class::Interrupted => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn code(class: Class) -> &'static str {
    match class {
        Class::BadInput => "bad input",
        Class::Refused => "refused",
        Class::Environment => "environment",
        Class::Interrupted => "interrupted",
        _ => "doubt",
    }
}
