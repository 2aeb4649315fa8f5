//! Refusals and the state of a space in JSON and the like.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::{AnswerError, DatasetState};

/// What its holder may know, and nothing else:
/// `{"error": "refused", "message": .., "refusal": {"code": "budget", "price": .., ..}}`, or with the id of the request where it was
/// charged: `{"error": "failed", "message": .., "request": ..}`.
impl Serialize for AnswerError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (error, refusal, request) = match self {
            Self::Refused { refusal, .. } => ("refused", Some(refusal), None),
            Self::Failed { request } => ("failed", None, Some(request)),
            Self::Sealed { request, .. } => ("sealed", None, Some(request)),
            Self::Gate(_) => ("gate", None, None),
        };
        let fields = 2 + usize::from(refusal.is_some()) + usize::from(request.is_some());
        let mut out = serializer.serialize_struct("AnswerError", fields)?;
        out.serialize_field("error", error)?;
        out.serialize_field("message", &self.to_string())?;
        if let Some(refusal) = refusal {
            out.serialize_field("refusal", refusal)?;
        }
        if let Some(request) = request {
            out.serialize_field("request", request)?;
        }
        out.end()
    }
}

/// The description by its name.
impl Serialize for DatasetState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, account, description, version, balance, answers, refills } = self;
        let mut out = serializer.serialize_struct("DatasetState", 7)?;
        out.serialize_field("id", id)?;
        out.serialize_field("account", account)?;
        out.serialize_field("name", description.name())?;
        out.serialize_field("version", version)?;
        out.serialize_field("balance", balance)?;
        out.serialize_field("answers", answers)?;
        out.serialize_field("refills", refills)?;
        out.end()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::budget::Loss;
    use crate::gate::Quote;
    use crate::id::RequestId;
    use crate::right::{Refusal, Verdict};

    #[test]
    fn a_holder_reads_of_an_error_what_it_may_know() {
        let (price, remaining) = (Loss::approx("0.5", "0").unwrap(), Loss::approx("0.25", "0").unwrap());
        let verdict = Arc::new(Verdict::UnknownDataset);
        let refused = AnswerError::Refused { verdict, refusal: Refusal::Budget { price, remaining, uses: 3 } };
        let expected = serde_json::json!({
            "error": "refused",
            "message": "budget: the price is (0.5, 0), your right has (0.25, 0) and 3 uses left",
            "refusal": {
                "code": "budget",
                "price": { "epsilon": "0.5", "delta": "0" },
                "remaining": { "epsilon": "0.25", "delta": "0" },
                "uses": 3,
            },
        });
        let json = serde_json::to_value(&refused).unwrap();
        assert_eq!(json["refusal"], expected["refusal"]);
        assert_eq!(json["message"], serde_json::Value::from(refused.to_string()));
        assert!(!json.to_string().contains("no such dataset"), "the verdict is the owner's");
        let refused = AnswerError::Refused { verdict: Arc::new(Verdict::UnknownDataset), refusal: Refusal::NotAllowed };
        assert_eq!(serde_json::to_value(&refused).unwrap()["refusal"], serde_json::json!({ "code": "not allowed" }));
        for refusal in [Refusal::Refused, Refusal::NotAllowed, Refusal::Expired, Refusal::Busy, Refusal::InDoubt] {
            assert_eq!(serde_json::to_value(&refusal).unwrap()["code"], refusal.code());
        }
        let failed = AnswerError::Failed { request: RequestId::from_bytes([7; 32]) };
        assert_eq!(serde_json::to_value(&failed).unwrap()["request"], serde_json::Value::from("07".repeat(32)));
    }

    #[test]
    fn a_quote_says_all_its_parts() {
        let price = Loss::approx("1", "0").unwrap();
        let quote = Quote { price, remaining: price, uses_left: 2, groups: None, steps: Vec::new(), planned: false, widths: Vec::new() };
        let amount = serde_json::json!({ "epsilon": "1", "delta": "0" });
        let expected = serde_json::json!({
            "price": amount, "remaining": amount, "uses_left": 2, "groups": null, "steps": [], "planned": false, "widths": [],
        });
        assert_eq!(serde_json::to_value(&quote).unwrap(), expected);
    }
}
