use super::GateError;
use super::desk::Desk;
use super::environment::Environment;
use super::folder::OpeningPart;
use super::opening::{Opening, fresh_salt};
use super::shelf::Lineage;
use crate::budget::Loss;
use crate::dataset::Refill;
use crate::envelope::Untrusted;
use crate::id::AccountId;
use crate::label::Label;
use crate::ledger::{AccountKind, Event, Ledger};
use crate::right::{Right, Verdict, Verified};

impl<E: Environment> Desk<E> {
    /// Appends an owner's signed refill; each number of a dataset counts once.
    pub(crate) fn refill(&self, bytes: &[u8]) -> Result<Loss, GateError> {
        let signed = Untrusted::<Refill>::decode(bytes)?.verify(self.owner.key())?;
        let refill = signed.value();
        let mut ledger = self.ledger()?;
        let mut shelf = self.shelf.write().map_err(|_| GateError::Stopped)?;
        let lineage = shelf.dataset_mut(&refill.dataset).ok_or(GateError::Act("there is no such dataset in this space"))?;
        if refill.number != lineage.refills + 1 {
            return Err(GateError::Act("the refill is out of turn: it was applied before, or an earlier one was not"));
        }
        // Before anything is written: an amount in another unit, or more than an account can hold.
        let mut balance = *ledger.book().account(&lineage.account).ok_or(GateError::Stopped)?.balance();
        balance.refill(&refill.amount)?;
        let mut random = self.environment.random(Label::REFILL.as_bytes())?;
        let opening = Opening { salt: fresh_salt(&mut random), artefact: signed.bytes().to_vec(), digest: signed.digest(), snapshot: None };
        self.folder.write(&self.folder.opening(lineage.account, OpeningPart::Refill(refill.number)), &opening.encode(), true, true)?;
        let event =
            Event::Refill { account: lineage.account, artefact: opening.commitment(), amount: refill.amount, reason: refill.reason };
        self.append_one(&mut ledger, event)?;
        lineage.refills += 1;
        let account = ledger.book().account(&lineage.account).ok_or(GateError::Stopped)?;
        Ok(account.balance().left())
    }

    /// Registers a right before its first use. Unless told so, live rights may not promise more than the dataset has
    /// left (rule B9).
    pub(crate) fn grant(&self, bytes: &[u8], oversubscribe: bool) -> Result<Verified, GateError> {
        let right = Right::decode(bytes).and_then(|right| right.verify(&self.owner)).map_err(Verdict::from)?;
        if right.root().ledger != self.ledger_id {
            return Err(Verdict::Audience.into());
        }
        let mut ledger = self.ledger()?;
        let (known, lineage) = {
            let shelf = self.shelf.read().map_err(|_| GateError::Stopped)?;
            (shelf.right(&right.id()), shelf.dataset(&right.root().dataset).cloned())
        };
        if known.is_some() {
            return Ok(right);
        }
        let lineage = lineage.ok_or(Verdict::UnknownDataset)?;
        if lineage.description.schema().hash() != right.root().schema {
            return Err(Verdict::Dataset.into());
        }
        if !oversubscribe {
            let left = ledger.book().account(&lineage.account).ok_or(GateError::Stopped)?.balance().left();
            let promised = promised(&ledger, lineage.account)?.checked_add(&right.terms().budget)?;
            if !promised.fits_in(&left) {
                return Err(GateError::Oversubscribed { promised, left });
            }
        }
        self.register(&mut ledger, &right, &lineage)?;
        Ok(right)
    }

    /// The number the next refill of a dataset must carry.
    pub(crate) fn next_refill(&self, dataset: &crate::id::DatasetId) -> Result<u64, GateError> {
        let shelf = self.shelf.read().map_err(|_| GateError::Stopped)?;
        let lineage: &Lineage = shelf.dataset(dataset).ok_or(GateError::Act("there is no such dataset in this space"))?;
        Ok(lineage.refills + 1)
    }
}

/// What the registered rights over a lineage have left in all.
fn promised(ledger: &Ledger, lineage: AccountId) -> Result<Loss, GateError> {
    let model = ledger.book().account(&lineage).ok_or(GateError::Stopped)?.balance().limit().model();
    let rights =
        ledger.book().accounts().filter(|(_, account)| matches!(account.kind(), AccountKind::Right { dataset, .. } if *dataset == lineage));
    let mut sum = Loss::zero(model);
    for (_, account) in rights {
        if account.uses_left() > 0 {
            sum = sum.checked_add(&account.balance().left())?;
        }
    }
    Ok(sum)
}
