//! What all routes share: the open space, the owner's signer, the folder of data, and how many requests have room.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use usufruct::dataset::Card;
use usufruct::envelope::Signed;
use usufruct::error::Error;
use usufruct::file::ReadError;
use usufruct::gate::{PENDING_MAX, SpaceOptions};
use usufruct::id::RightId;
use usufruct::owner::Owner;
use usufruct::space::Space;

use crate::failure::Failure;

/// What all routes share: the open space, the owner's signer if it is here, and the folder of data.
#[derive(Debug)]
pub struct Backend {
    space: Space,
    cards: PathBuf,
    data: PathBuf,
    owner: Option<Owner>,
    room: Arc<Semaphore>,
}

impl Backend {
    /// Opens a space. `data` is the folder that holds the files which the owner may publish, and `rights/`, in which rights are kept
    /// before they are registered. Without `owner` nothing is signed here: acts come signed, by `POST /acts` or the space's inbox.
    ///
    /// Blocks, since it reads the whole ledger.
    ///
    /// # Errors
    /// The space does not open, or the folder of data cannot be used.
    pub fn open(space: impl AsRef<Path>, options: SpaceOptions, owner: Option<Owner>, data: impl AsRef<Path>) -> Result<Self, Error> {
        let (folder, data) = (space.as_ref(), data.as_ref());
        let unusable = |error: std::io::Error| ReadError::Open { path: data.to_owned(), kind: error.kind() };
        // Without links and `..`, so that what lies in it can be told from what does not.
        let data = data.canonicalize().map_err(unusable)?;
        std::fs::create_dir_all(data.join("rights")).map_err(unusable)?;
        let space = Space::open_with(folder, options)?;
        Ok(Self { space, cards: folder.join("cards"), data, owner, room: Arc::new(Semaphore::new(PENDING_MAX)) })
    }

    /// The space, for whatever the routes do not offer.
    #[must_use]
    pub const fn space(&self) -> &Space {
        &self.space
    }

    /// The folder of data, without links.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Where a right is kept.
    pub(crate) fn right_file(&self, right: RightId) -> PathBuf {
        self.data.join("rights").join(format!("{right}.right"))
    }

    /// The owner's signer.
    pub(crate) fn owner(&self) -> Result<&Owner, Failure> {
        self.owner.as_ref().ok_or_else(|| Failure::bad_input("the owner's key is not here: sign elsewhere and use POST /acts".to_owned()))
    }

    /// The signed card of the dataset with that name. Blocks.
    pub(crate) fn card(&self, owner: &Owner, name: &str) -> Result<Signed<Card>, Failure> {
        let unreadable = |error: std::io::Error| Failure::owner(ReadError::Read { path: self.cards.clone(), kind: error.kind() });
        for entry in std::fs::read_dir(&self.cards).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_none_or(|extension| extension != "dataset") {
                continue;
            }
            let card = owner.read_card(&std::fs::read(path).map_err(unreadable)?).map_err(Failure::owner)?;
            if card.value().description.name().as_str() == name {
                return Ok(card);
            }
        }
        Err(Failure::bad_input(format!("there is no dataset named {name:?} in this space")))
    }

    /// Room for one more request on its way to the gate: as many as the gate itself takes.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.room).try_acquire_owned().map_err(|_| Failure::busy())
    }
}
