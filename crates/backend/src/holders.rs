//! The routes of holders: a signed request in, the answer with its receipt out, again as often as it is asked for.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use usufruct::gate::{AnswerError, GateError};
use usufruct::id::RequestId;
use usufruct::receipt::Bundle;
use usufruct::right::REQUEST_BYTES_MAX;

use crate::backend::Backend;
use crate::failure::Failure;
use crate::serve::blocking;

/// The routes that holders may reach. Whoever knows the id of a request can have its answer again, so ids are as secret as answers.
pub fn holders(backend: Arc<Backend>) -> Router {
    Router::new()
        .route("/requests", post(ask))
        .route("/requests/{id}", get(again))
        // A request and its envelope.
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX + 512))
        .with_state(backend)
}

/// Keeps, charges, answers.
async fn ask(State(backend): State<Arc<Backend>>, request: Bytes) -> Result<Cbor, Failure> {
    let (room, gate, bytes) = (backend.enter()?, backend.space().gate(), request.clone());
    // Kept and submitted by one closure, which runs to its end also when the caller goes away: so whatever is charged is kept.
    let pending = blocking(move || {
        gate.keep(&bytes)?;
        Ok::<_, AnswerError>((gate.submit(bytes), room))
    });
    let (pending, _room) = pending.await?.map_err(|error| Failure::holder(&error))?;
    let release = pending.await.map_err(|error| Failure::holder(&error))?;
    // A gate's releases have one.
    let receipt = release.receipt().cloned().ok_or_else(Failure::internal)?;
    Ok(Cbor(Bundle { receipt, request: request.into(), answer: release.bytes().to_vec() }.encode()))
}

/// What was answered before, byte for byte.
async fn again(State(backend): State<Arc<Backend>>, Path(id): Path<String>) -> Result<Cbor, Failure> {
    let id: RequestId = id.parse().map_err(|_| Failure::bad_input("expected the id of a request: 64 hexadecimal digits".to_owned()))?;
    // Reads files and signs a checkpoint.
    match blocking(move || backend.space().receipt(id)).await? {
        Ok(Some(bundle)) => Ok(Cbor(bundle.encode())),
        // Unknown, not answered yet, or not kept here.
        Ok(None) | Err(GateError::Act(_)) => Err(Failure::not_found()),
        Err(error) => Err(Failure::holder_again(&error)),
    }
}

/// Bytes that the crate's own readers take.
pub(crate) struct Cbor(pub(crate) Vec<u8>);

impl IntoResponse for Cbor {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/cbor")], self.0).into_response()
    }
}
