//! A space with a register in it, its owner and a holder with a right: what several figures need.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use usufruct::budget::Loss;
use usufruct::dataset::{Card, DescriptionFile, table_schema};
use usufruct::envelope::Signed;
use usufruct::gate::{Gate, SpaceOptions};
use usufruct::holder::Holder;
use usufruct::id::Time;
use usufruct::key::{Signer as _, SigningKey};
use usufruct::ledger::Quantum;
use usufruct::owner::Owner;
use usufruct::query::{Operation, Query};
use usufruct::random::SystemRandom;
use usufruct::right::{Ask, Request, Seen, Terms, Verified};
use usufruct::space::Space;
use usufruct::table::{CsvOptions, CsvSource};

use crate::measure::seconds;
use crate::register::{DESCRIPTION, Register};

pub(crate) struct Market {
    pub(crate) owner: Owner,
    pub(crate) right: Verified,
    pub(crate) now: Time,
    card: Signed<Card>,
    holder: Holder,
    random: SystemRandom,
    folder: TempDir,
}

impl Market {
    /// Publishes the register with a quantum of 0 and a budget that does not run out, and grants it.
    pub(crate) fn new(rows: u64) -> Result<(Self, Space), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let csv = folder.path().join("register.csv");
        Register::new(1, rows).write_csv(&mut File::create(&csv)?)?;
        let text = DESCRIPTION.replacen("epsilon = \"3\"", "epsilon = \"1000\"", 1);
        let description = DescriptionFile::parse(&text, folder.path())?.description;
        let mut random = SystemRandom::new()?;
        let [owner, next, holder] = [(); 3].map(|()| SigningKey::generate(&mut random));
        let (owner, holder) = (Owner::new(owner), Holder::new(holder));
        let now = Time::now();
        let options = SpaceOptions::default().quantum(Quantum::NONE);
        let space = Space::create_with(folder.path().join("space"), owner.signer(), next.public(), now, options)?;
        let source = CsvSource::open(&csv, CsvOptions::default(), table_schema(description.schema()))?;
        let published = space.publish(&description, &source, owner.signer(), &mut |_| ControlFlow::Continue(()))?;
        let terms = Terms::process(Loss::approx("999", "0")?)
            .operations([Operation::Count, Operation::Sum, Operation::Mean])
            .columns(["sex", "age", "city", "income"])
            .purposes(["research:health"])
            .uses(1_000_000)
            .not_after(now.plus_s(24 * 3600))
            .build()?;
        let right = owner.grant(&published.card, holder.public(), terms, now, &mut random)?;
        space.grant(right.bytes(), false)?;
        Ok((Self { owner, right, now, card: published.card, holder, random, folder }, space))
    }

    /// Another right over the register, of next to nothing.
    pub(crate) fn grant(&mut self) -> Result<Verified, Box<dyn Error>> {
        let mut terms = self.right.terms().clone();
        (terms.budget, terms.uses) = (Loss::approx("0.000001", "0")?, 1);
        Ok(self.owner.grant(&self.card, self.holder.public(), terms, self.now, &mut self.random)?)
    }

    /// Signs the question of all figures.
    pub(crate) fn request(&mut self, seen: Option<Seen>) -> Result<Signed<Request>, Box<dyn Error>> {
        let query = Query::sql("SELECT sex, COUNT(*), AVG(age) FROM register WHERE age >= 18 GROUP BY sex")?;
        let ask = Ask::new(query, Loss::approx("0.01", "0")?).seen(seen);
        Ok(self.holder.request(&self.right, ask, self.now, &mut self.random)?)
    }

    pub(crate) fn space(&self) -> PathBuf {
        self.folder.path().join("space")
    }

    /// Opens the space as after a restart.
    pub(crate) fn gate(&self) -> Result<Gate, Box<dyn Error>> {
        Ok(Space::open(self.space())?.gate())
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Appends of one sector to a file that was filled with zeros before, each with its fdatasync: the least that any durable
/// step costs.
pub(crate) struct Appends {
    file: File,
    offset: u64,
}

impl Appends {
    const SECTOR: usize = 512;
    const BYTES: usize = 16 << 20;

    pub(crate) fn new(folder: &Path) -> std::io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(folder.join("appends"))?;
        file.write_all(&vec![0; Self::BYTES])?;
        file.sync_all()?;
        Ok(Self { file, offset: 0 })
    }

    /// Seconds that one takes.
    pub(crate) fn next_s(&mut self) -> std::io::Result<f64> {
        let mut outcome = Ok(());
        let taken = seconds(|| {
            outcome = self.file.write_all_at(&[7; Self::SECTOR], self.offset).and_then(|()| self.file.sync_data());
        });
        self.offset = (self.offset + Self::SECTOR as u64) % Self::BYTES as u64;
        outcome.map(|()| taken)
    }
}
