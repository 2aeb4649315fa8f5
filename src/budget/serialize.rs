//! Amounts of budget in JSON and the like: decimal strings, which no reader rounds.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::{Balance, Delta, Epsilon, Loss, Rho};
use crate::id::serialize_as_text;

serialize_as_text!(Delta, Epsilon, Rho);

/// `{"epsilon": "0.5", "delta": "0"}`, or with `rho`.
impl Serialize for Loss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Loss", 2)?;
        match self {
            Self::Approx { epsilon, delta } => {
                out.serialize_field("epsilon", epsilon)?;
                out.serialize_field("delta", delta)?;
            }
            Self::Zcdp { rho, delta } => {
                out.serialize_field("rho", rho)?;
                out.serialize_field("delta", delta)?;
            }
        }
        out.end()
    }
}

/// `{"limit": .., "spent": ..}`.
impl Serialize for Balance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Balance", 2)?;
        out.serialize_field("limit", &self.limit())?;
        out.serialize_field("spent", &self.spent())?;
        out.end()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_strings_of_digits() {
        let json = |loss: &Loss| serde_json::to_string(loss).unwrap();
        assert_eq!(json(&Loss::approx("0.000000000001", "0").unwrap()), r#"{"epsilon":"0.000000000001","delta":"0"}"#);
        assert_eq!(json(&Loss::zcdp("2", "0.000001").unwrap()), r#"{"rho":"2","delta":"0.000001"}"#);
        let balance = Balance::new(Loss::approx("3", "0").unwrap());
        let expected = r#"{"limit":{"epsilon":"3","delta":"0"},"spent":{"epsilon":"0","delta":"0"}}"#;
        assert_eq!(serde_json::to_string(&balance).unwrap(), expected);
    }
}
