//! The routes of the owner: datasets, rights, acts that were signed elsewhere, and the state of the space.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use usufruct::class::Class;
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::file::OutputOptions;
use usufruct::gate::{GateError, Published};
use usufruct::id::Time;
use usufruct::key::PublicKey;
use usufruct::random::SystemRandom;
use usufruct::right::Terms;
use usufruct::table::FileSource;

use crate::backend::Backend;
use crate::failure::Failure;
use crate::holders::Cbor;
use crate::serve::blocking;

/// A description may name many values.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Not one of those that a form of some web page can send to a machine that its reader can reach.
const TOML: &str = "application/toml";

/// The owner's routes: nobody else may reach them.
pub fn owner(backend: Arc<Backend>) -> Router {
    Router::new()
        .route("/acts", post(apply))
        .route("/datasets", post(publish))
        .route("/rights", post(grant))
        .route("/status", get(status))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(backend)
}

#[derive(Serialize)]
struct AppliedAct {
    applied: String,
}

/// Applies an act that the owner signed elsewhere: a right, a refill, a certificate, a change of the quantum or of gate time.
async fn apply(State(backend): State<Arc<Backend>>, act: Bytes) -> Result<Json<AppliedAct>, Failure> {
    let applied = blocking(move || backend.space().apply(&act)).await?.map_err(Failure::owner)?;
    Ok(Json(AppliedAct { applied: applied.to_string() }))
}

#[derive(Serialize)]
struct PublishedDataset {
    id: String,
    version: u64,
    rows: u64,
    warnings: Vec<String>,
}

/// Publishes a dataset or a version. The body is the description; the file that it names lies in the folder of data.
async fn publish(
    State(backend): State<Arc<Backend>>,
    headers: HeaderMap,
    description: String,
) -> Result<(StatusCode, Json<PublishedDataset>), Failure> {
    if headers.get(CONTENT_TYPE).is_none_or(|found| found != TOML) {
        return Err(Failure::media_type(TOML));
    }
    let Published { id, version, rows, warnings, .. } = blocking(move || publish_now(&backend, &description)).await??;
    let warnings = warnings.iter().map(ToString::to_string).collect();
    Ok((StatusCode::CREATED, Json(PublishedDataset { id: id.to_string(), version, rows, warnings })))
}

fn publish_now(backend: &Backend, description: &str) -> Result<Published, Failure> {
    let owner = backend.owner()?;
    let file = DescriptionFile::parse(description, backend.data()).map_err(Failure::owner)?;
    let path = file.data.path.canonicalize().ok().filter(|path| path.starts_with(backend.data()));
    let path = path.ok_or_else(|| Failure::bad_input("data: there is no such file in the folder of data".to_owned()))?;
    let source = FileSource::open_as(path, &file.data.options(), table_schema(file.description.schema())).map_err(Failure::owner)?;
    let published = backend.space().publish(&file.description, &source, owner.signer(), &mut |_| ControlFlow::Continue(()));
    published.map_err(Failure::owner)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    /// The name of the dataset.
    dataset: String,
    /// The holder's public key in PEM.
    holder: String,
    /// The terms in TOML.
    terms: String,
    /// Whether live rights may promise more than the dataset has left.
    #[serde(default)]
    oversubscribe: bool,
}

/// Signs a right, registers it and gives it back.
async fn grant(State(backend): State<Arc<Backend>>, Json(asked): Json<Grant>) -> Result<(StatusCode, Cbor), Failure> {
    let right = blocking(move || grant_now(&backend, &asked)).await??;
    Ok((StatusCode::CREATED, Cbor(right)))
}

fn grant_now(backend: &Backend, asked: &Grant) -> Result<Vec<u8>, Failure> {
    let (owner, space) = (backend.owner()?, backend.space());
    let holder = PublicKey::from_pem(asked.holder.as_bytes()).map_err(Failure::owner)?;
    let terms = Terms::parse(&asked.terms).map_err(Failure::owner)?;
    let card = backend.card(owner, &asked.dataset)?;
    let mut random = SystemRandom::new().map_err(Failure::owner)?;
    let right = owner.grant(&card, &holder, terms, now(), &mut random).map_err(Failure::owner)?;

    space.check_grant(right.bytes(), asked.oversubscribe).map_err(Failure::owner)?;
    // Kept before it is registered: a crash between the two leaves a right that can be used or applied, never a budget promised to
    // a right that nobody has.
    let path = backend.right_file(right.id());
    usufruct::file::write(&path, right.bytes(), OutputOptions { force: false, private: true }).map_err(Failure::owner)?;
    space.grant(right.bytes(), asked.oversubscribe).map_err(|error| {
        // Others were granted meanwhile. Its first use would register it all the same, so it must not stay.
        if error.class() == Class::Refused {
            let _ = std::fs::remove_file(&path);
        }
        Failure::owner(error)
    })?;
    Ok(right.bytes().to_vec())
}

#[derive(Serialize)]
struct Status {
    ledger: String,
    datasets: Vec<Dataset>,
    rights: Vec<Right>,
    /// Requests under way.
    pending: usize,
    /// Syncs of the ledger and of answers since the space was opened.
    ledger_batches: u64,
    answer_batches: u64,
    /// Requests that were refused.
    refused: u64,
}

#[derive(Serialize)]
struct Dataset {
    id: String,
    name: String,
    version: u64,
    limit: String,
    spent: String,
    left: String,
    answers: u64,
    refills: usize,
}

#[derive(Serialize)]
struct Right {
    id: String,
    dataset: String,
    limit: String,
    left: String,
    uses_left: u64,
    not_after: String,
}

/// Datasets and rights with their balances, and what the gate is doing.
async fn status(State(backend): State<Arc<Backend>>) -> Result<Json<Status>, Failure> {
    Ok(Json(blocking(move || status_now(&backend)).await?.map_err(Failure::owner)?))
}

fn status_now(backend: &Backend) -> Result<Status, GateError> {
    let space = backend.space();
    let datasets = space.datasets()?.into_iter().map(|state| Dataset {
        id: state.id.to_string(),
        name: state.description.name().to_string(),
        version: state.version,
        limit: state.balance.limit().to_string(),
        spent: state.balance.spent().to_string(),
        left: state.balance.left().to_string(),
        answers: state.answers,
        refills: state.refills.len(),
    });
    let rights = space.rights()?.into_iter().map(|state| Right {
        id: state.id.to_string(),
        dataset: state.dataset.to_string(),
        limit: state.balance.limit().to_string(),
        left: state.balance.left().to_string(),
        uses_left: state.uses_left,
        not_after: state.not_after.to_string(),
    });
    let counters = space.counters();
    Ok(Status {
        ledger: space.ledger_id().to_string(),
        datasets: datasets.collect(),
        rights: rights.collect(),
        pending: counters.pending,
        ledger_batches: counters.ledger_batches,
        answer_batches: counters.answer_batches,
        refused: counters.refused,
    })
}

fn now() -> Time {
    Time::from_unix_s(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}
