//! The sum of the module errors, for callers that keep one type.

/// Any error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Strict CBOR.
    #[error(transparent)]
    Codec(#[from] crate::codec::CodecError),
    /// Names, ids, times, decimals.
    #[error(transparent)]
    Id(#[from] crate::id::IdError),
    /// The system generator.
    #[error(transparent)]
    Random(#[from] crate::random::RandomError),
    /// Keys.
    #[error(transparent)]
    Key(#[from] crate::key::KeyError),
    /// Signed artefacts.
    #[error(transparent)]
    Envelope(#[from] crate::envelope::EnvelopeError),
    /// Amounts of budget.
    #[error(transparent)]
    Budget(#[from] crate::budget::BudgetError),
    /// Descriptions.
    #[error(transparent)]
    Description(#[from] crate::dataset::DescriptionError),
    /// Queries.
    #[error(transparent)]
    Query(#[from] crate::query::QueryError),
    /// SQL texts.
    #[cfg(feature = "sql")]
    #[error(transparent)]
    Sql(#[from] crate::query::SqlError),
    /// Rights.
    #[error(transparent)]
    Right(#[from] crate::right::RightError),
    /// Signing of rights and requests.
    #[error(transparent)]
    Sign(#[from] crate::right::SignError),
    /// Terms that people write.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Terms(#[from] crate::right::TermsFileError),
    /// Receipts.
    #[error(transparent)]
    Receipt(#[from] crate::receipt::ReceiptError),
    /// Records from outside.
    #[cfg(feature = "records")]
    #[error(transparent)]
    Table(#[from] crate::table::TableError),
    /// Files that are read.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    File(#[from] crate::file::ReadError),
    /// Files that are written.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Output(#[from] crate::file::OutputError),
    /// Surveys of records.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Survey(#[from] crate::grade::SurveyError),
    /// Recognisers that people write.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Recogniser(#[from] crate::grade::RecogniserError),
    /// Policies that people write.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Policy(#[from] crate::desensitise::PolicyError),
    /// Keys of desensitisation.
    #[cfg(feature = "records")]
    #[error(transparent)]
    KeyFile(#[from] crate::desensitise::KeyFileError),
    /// Desensitised files.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Apply(#[from] crate::desensitise::ApplyError),
    /// The ledger.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    /// The gate and its space.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Gate(#[from] crate::gate::GateError),
    /// A request without an answer.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Answer(#[from] crate::gate::AnswerError),
    /// The file of seen checkpoints.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Seen(#[from] crate::holder::SeenError),
}
