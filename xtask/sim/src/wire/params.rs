//! A request's parameters as a typed structure, and pages of a list.

use serde::de::DeserializeOwned;

use super::{ApiError, ApiRequest};

/// Reads the parameters. What is missing or of a wrong type becomes an error with `code`, in the words of
/// AWS's own validation.
pub(crate) fn params<T: DeserializeOwned>(request: &ApiRequest, code: &'static str) -> Result<T, ApiError> {
    T::deserialize(&request.params).map_err(|error| {
        let text = error.to_string();
        let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let message = match missing {
            Some(member) => format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                lower_first(member)
            ),
            None => format!("1 validation error detected: {text}"),
        };
        ApiError::new(code, message)
    })
}

/// AWS names members in validation errors in lower camel case, whatever their case in the API.
fn lower_first(member: &str) -> String {
    let mut chars = member.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The page of `items` that begins at `token` (as an earlier page gave it) and holds at most `size`, with the
/// token of the next page. `None` when the token is not one of ours.
pub(crate) fn page<T>(items: Vec<T>, token: Option<&str>, size: usize) -> Option<(Vec<T>, Option<String>)> {
    let start = match token {
        None => 0,
        Some(token) => token.strip_prefix(TOKEN)?.parse::<usize>().ok()?,
    };
    let total = items.len();
    let end = start.saturating_add(size);
    let page = items.into_iter().skip(start).take(size).collect();
    Some((page, (end < total).then(|| format!("{TOKEN}{end}"))))
}

/// Tokens are opaque to callers; the prefix keeps a caller's invention from being taken for one.
const TOKEN: &str = "eyJwYWdlIjo";
