//! An exchange's backend around a space of [`usufruct`] (交易所后端): HTTP in front, the gate behind.
//!
//! ```text
//! holders  POST /requests         a signed request -> request, answer and receipt in one file
//!          GET  /requests/{id}    the same file again
//! owner    POST /datasets         a description in TOML, its data in the folder of data
//!          POST /rights           terms in TOML and a holder's public key -> the signed right
//!          POST /acts             an act that was signed elsewhere
//!          GET  /status           datasets and rights with their balances
//! ```
//! No thread of the runtime waits for anything but the network: what reads or writes files runs on threads for that, and an answer is
//! a future that the gate completes ([`usufruct::gate::Gate::submit`]). A holder who goes away changes nothing: what was sent is
//! kept, charged and answered, and the same request later gets the same bytes, free.
//!
//! Holders are told what rule C5 lets them know, the owner everything.
//!
//! # Not promised
//! Who may call the owner's routes, and secrecy on the way: neither passwords nor TLS are here. Put [`holders`] behind what speaks
//! TLS, and [`owner`] behind what knows the owner as well.

mod backend;
mod failure;
mod holders;
mod owner;
mod serve;

pub use backend::Backend;
pub use holders::holders;
pub use owner::owner;
pub use serve::{GRACE, serve};

use std::sync::Arc;

/// All routes, of holders and of the owner.
pub fn router(backend: Arc<Backend>) -> axum::Router {
    holders(Arc::clone(&backend)).merge(owner(backend))
}
