//! Ids, names, times and decimals in JSON and the like: as the text that each displays and reads. Salts have no such form.

use super::{AccountId, ColumnName, DatasetId, Decimal, Digest, LedgerId, Name, Nonce, Purpose, RequestId, RightId, Time, VersionId};

/// Serializes types as what they display.
macro_rules! serialize_as_text {
    ($($name:ty),* $(,)?) => {
        $(impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        })*
    };
}

pub(crate) use serialize_as_text;

serialize_as_text!(AccountId, ColumnName, DatasetId, Decimal, Digest, LedgerId, Name, Nonce, Purpose, RequestId, RightId, Time, VersionId,);
