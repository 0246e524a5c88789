//! Request members, read: decoding, names out of ARNs, and pages.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::errors::invalid;
use crate::wire::{ApiError, ApiRequest};

/// Reads a request's members into their shape. Members that the shape does not name are ignored, as AWS
/// ignores them; members of the wrong type are AWS's `InvalidParameterException`.
pub(super) fn decode<T: DeserializeOwned>(request: &ApiRequest) -> Result<T, ApiError> {
    let members = match &request.params {
        Value::Null => Value::Object(serde_json::Map::new()),
        given @ Value::Object(_) => without_nulls(given),
        _ => return Err(invalid("The request is not a JSON object.")),
    };
    serde_json::from_value(members).map_err(|error| invalid(format!("{error}")))
}

/// A JSON null means "not given" on AWS's wire.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name.clone(), without_nulls(member)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// The last part of an ARN, or the name itself.
pub(super) fn short_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The cluster that a request names: `default` when it names none.
pub(super) fn cluster_name(reference: Option<&str>) -> String {
    short_name(reference.unwrap_or("default")).to_owned()
}

/// One page of `items`: `nextToken` is the position at which the next page starts.
pub(super) fn page<T: Clone>(
    items: &[T],
    token: Option<&str>,
    max_results: Option<u32>,
    default: u32,
    most: u32,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = max_results.unwrap_or(default);
    if size == 0 || size > most {
        return Err(invalid(format!("maxResults must be between 1 and {most}.")));
    }
    let start = match token {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .ok()
            .filter(|start| *start <= items.len())
            .ok_or_else(|| invalid("Invalid token in the request."))?,
    };
    let end = items.len().min(start + size as usize);
    let next = (end < items.len()).then(|| end.to_string());
    Ok((items[start..end].to_vec(), next))
}

/// A list reply: `member` with its page, and `nextToken` when there is more.
pub(super) fn listed(member: &str, items: Vec<String>, next: Option<String>) -> Value {
    let mut reply = serde_json::Map::new();
    reply.insert(member.to_owned(), items.into());
    if let Some(next) = next {
        reply.insert("nextToken".to_owned(), next.into());
    }
    Value::Object(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_leads_to_the_rest_and_then_ends() {
        let items = ["a", "b", "c"];
        let (first, token) = page(&items, None, Some(2), 10, 100).unwrap();
        assert_eq!(first, ["a", "b"]);
        let (second, end) = page(&items, token.as_deref(), Some(2), 10, 100).unwrap();
        assert_eq!(second, ["c"]);
        assert_eq!(end, None);
    }

    #[test]
    fn a_made_up_token_is_an_error_and_not_a_panic() {
        let error = page(&["a"], Some("99"), None, 10, 100).unwrap_err();
        assert_eq!(error.code, "InvalidParameterException");
        assert!(page(&["a"], Some("x"), None, 10, 100).is_err());
        assert!(page(&["a"], None, Some(101), 10, 100).is_err());
    }
}
