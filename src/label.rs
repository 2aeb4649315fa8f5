//! Every domain label of the crate, in one file.
//!
//! A label separates what one key signs or one hash covers from everything else the same key or hash is used
//! for: a signature made for a request can never be read as a signature on a right. Labels enter a COSE
//! signature as `external_aad` (RFC 9052 section 4.3), a commitment as the first part of its message.
//!
//! # Source
//! RFC 9052 section 4.3 (external_aad); rules A1 and J5 of `docs/rules.md`.

/// A domain label: the text is part of what is signed or hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(&'static str);

impl Label {
    /// Owner: which key is the gate's, from when to when.
    pub const GATE_CERTIFICATE: Self = Self("usufruct/v1/gate-certificate");
    /// Owner: the description of a dataset and the commitment to its first version.
    pub const PUBLISH: Self = Self("usufruct/v1/publish");
    /// Owner: a later version of a dataset's data.
    pub const VERSION: Self = Self("usufruct/v1/version");
    /// Owner: the public card of a dataset.
    pub const CARD: Self = Self("usufruct/v1/dataset-card");
    /// Owner: more budget for a lineage.
    pub const REFILL: Self = Self("usufruct/v1/refill");
    /// Owner: the quantum of times from now on.
    pub const QUANTUM: Self = Self("usufruct/v1/quantum");
    /// Owner: gate time goes on from an earlier one.
    pub const CLOCK: Self = Self("usufruct/v1/clock");
    /// Owner (block 0) or the holder of the block before: one block of a right.
    pub const RIGHT_BLOCK: Self = Self("usufruct/v1/right-block");
    /// Holder: one signed use of a right.
    pub const REQUEST: Self = Self("usufruct/v1/request");

    /// Hash of the genesis payload, which is the id of a ledger.
    pub const GENESIS: Self = Self("usufruct/v1/genesis");
    /// Hash of the schema of a dataset.
    pub const SCHEMA: Self = Self("usufruct/v1/schema");
    /// Commitment to an artefact behind an account of the ledger, in ledgers before their upgrade.
    pub const ACCOUNT: Self = Self("usufruct/v1/account");
    /// Commitment to an account of the ledger and the artefact behind it.
    pub const ACCOUNT_ARTEFACT: Self = Self("usufruct/v2/account");
    /// Commitment to the secret of a ledger's tags.
    pub const TAGS: Self = Self("usufruct/v1/tags");
    /// Tag of the name of a dataset.
    pub const TAG_NAME: Self = Self("usufruct/v1/tag-name");
    /// Tag of a right.
    pub const TAG_RIGHT: Self = Self("usufruct/v1/tag-right");
    /// Commitment to a snapshot of data.
    pub const SNAPSHOT: Self = Self("usufruct/v1/snapshot");
    /// Keyed id of a privacy unit in a snapshot.
    pub const UNIT: Self = Self("usufruct/v1/unit");
    /// Keyed tag of a row in a snapshot.
    pub const ROW: Self = Self("usufruct/v1/row");
    /// The key of a lineage's row choice, from the salt of its first snapshot.
    pub const ROW_KEY: Self = Self("usufruct/v1/row-key");
    /// Rank of a group among the groups of one unit.
    pub const GROUP_RANK: Self = Self("usufruct/v1/group-rank");
    /// Rank of a row among the rows of one unit and group.
    pub const ROW_RANK: Self = Self("usufruct/v1/row-rank");
    /// Key of the noise of one request.
    pub const NOISE: Self = Self("usufruct/v1/noise");
    /// Encrypted state of a continual counter.
    pub const COUNTER_STATE: Self = Self("usufruct/v1/counter-state");
    /// Column key of pseudonyms, from a key of a key file.
    pub const PSEUDONYM: Self = Self("usufruct/v1/pseudonym");
    /// Column key of date shifts.
    pub const DATE_SHIFT: Self = Self("usufruct/v1/date-shift");
    /// Column key of a permutation of rows.
    pub const PERMUTE: Self = Self("usufruct/v1/permute");

    /// What a policy decided, in the manifest of a desensitised file.
    pub const POLICY: Self = Self("usufruct/v1/policy");
    /// Commitment to the source of a desensitised file.
    pub const SOURCE: Self = Self("usufruct/v1/source");
    /// Owner: the manifest of a desensitised file.
    pub const MANIFEST: Self = Self("usufruct/v1/manifest");

    /// All labels, for the test that they differ.
    pub const ALL: [Self; 30] = [
        Self::GATE_CERTIFICATE,
        Self::PUBLISH,
        Self::VERSION,
        Self::CARD,
        Self::REFILL,
        Self::QUANTUM,
        Self::CLOCK,
        Self::RIGHT_BLOCK,
        Self::REQUEST,
        Self::GENESIS,
        Self::SCHEMA,
        Self::ACCOUNT,
        Self::ACCOUNT_ARTEFACT,
        Self::TAGS,
        Self::TAG_NAME,
        Self::TAG_RIGHT,
        Self::SNAPSHOT,
        Self::UNIT,
        Self::ROW,
        Self::ROW_KEY,
        Self::GROUP_RANK,
        Self::ROW_RANK,
        Self::NOISE,
        Self::COUNTER_STATE,
        Self::PSEUDONYM,
        Self::DATE_SHIFT,
        Self::PERMUTE,
        Self::POLICY,
        Self::SOURCE,
        Self::MANIFEST,
    ];

    /// The text of the label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The bytes of the label.
    #[must_use]
    pub const fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn no_label_is_another_or_a_prefix_of_another() {
        for (i, a) in Label::ALL.iter().enumerate() {
            for (j, b) in Label::ALL.iter().enumerate() {
                assert!(i == j || !b.as_str().starts_with(&format!("{}/", a.as_str())) && a != b, "{a:?} {b:?}");
            }
        }
    }
}
