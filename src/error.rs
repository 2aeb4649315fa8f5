//! The sum of the module errors, for callers that keep one type.

use crate::class::Class;

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
    /// Counts of who is unique.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Meter(#[from] crate::anonymity::MeterError),
    /// The ledger.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    /// Quanta.
    #[error(transparent)]
    Quantum(#[from] crate::ledger::QuantumError),
    /// The archive of a space.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Archive(#[from] crate::archive::ArchiveError),
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

impl Error {
    /// What a caller should do about it.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Codec(error) => error.class(),
            Self::Id(error) => error.class(),
            Self::Random(error) => error.class(),
            Self::Key(error) => error.class(),
            Self::Envelope(error) => error.class(),
            Self::Budget(error) => error.class(),
            Self::Description(error) => error.class(),
            Self::Query(error) => error.class(),
            #[cfg(feature = "sql")]
            Self::Sql(error) => error.class(),
            Self::Right(error) => error.class(),
            Self::Sign(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Terms(error) => error.class(),
            Self::Receipt(error) => error.class(),
            #[cfg(feature = "records")]
            Self::Table(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::File(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Output(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Survey(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Recogniser(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Policy(error) => error.class(),
            #[cfg(feature = "records")]
            Self::KeyFile(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Apply(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Meter(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Ledger(error) => error.class(),
            Self::Quantum(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Archive(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Gate(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Answer(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Seen(error) => error.class(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The sum says what its parts say.
    #[test]
    fn classes_come_through_the_sum() {
        let class = |error: Error| error.class();
        assert_eq!(class(crate::random::RandomError::System.into()), Class::Environment);
        assert_eq!(class(crate::key::KeyError::Signer.into()), Class::Environment);
        assert_eq!(class(crate::envelope::EnvelopeError::Refused.into()), Class::Refused);
        assert_eq!(class(crate::right::SignError::Envelope(crate::key::KeyError::Signer.into()).into()), Class::Environment);
        assert_eq!(class(crate::right::SignError::NotTheOwner.into()), Class::BadInput);
        assert_eq!(class(crate::receipt::ReceiptError::Inclusion.into()), Class::Doubt);
        #[cfg(feature = "embedded")]
        {
            use std::io::ErrorKind;
            let open = |kind| crate::file::ReadError::Open { path: "a".into(), kind };
            assert_eq!(class(open(ErrorKind::NotFound).into()), Class::BadInput);
            assert_eq!(class(open(ErrorKind::PermissionDenied).into()), Class::Environment);
            assert_eq!(class(crate::key::KeyError::File(open(ErrorKind::PermissionDenied)).into()), Class::Environment);
            assert_eq!(class(crate::grade::SurveyError::Cancelled.into()), Class::Interrupted);
            assert_eq!(class(crate::gate::GateError::Publish(crate::dataset::PublishError::Cancelled).into()), Class::Interrupted);
            assert_eq!(class(crate::gate::GateError::NotTheOwner.into()), Class::Refused);
        }
    }
}
