//! The server: all routes until it is told to stop, then an end in order.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::backend::Backend;
use crate::failure::Failure;
use crate::router;

/// How long callers have to take what is under way once the server is told to stop: the longest quantum, and then some. What they do
/// not take is sealed all the same, and theirs on the next try.
pub const GRACE: Duration = Duration::from_secs(90);

/// Serves all routes until `stop`, then takes no more connections and waits for those that wait for an answer, at most [`GRACE`].
///
/// The space is closed once the last handle of `backend` goes, which waits until nothing is under way: let it go outside the runtime,
/// or by `spawn_blocking`.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, backend: Arc<Backend>, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let (stopping, mut stopped) = watch::channel(false);
    let stop = async move {
        stop.await;
        let _ = stopping.send(true);
    };
    let late = async move {
        // An error says that the server ended, and then nobody listens to this.
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = async { axum::serve(listener, router(backend)).with_graceful_shutdown(stop).await } => served,
        () = late => Ok(()),
    }
}

/// Runs what reads or writes files where it may wait, to its end also when nobody waits for it any more.
pub(crate) async fn blocking<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(body).await.map_err(|_| Failure::internal())
}
