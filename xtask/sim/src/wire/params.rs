//! A request's parameters as a typed structure, and pages of a list.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Api, ApiError, ApiRequest, Outcome, leaf};

/// Reads the parameters. What is missing or of a wrong type becomes an error in the words of AWS's own validation.
pub(crate) fn params<T: DeserializeOwned>(request: &ApiRequest) -> Result<T, ApiError> {
    T::deserialize(&request.params).map_err(|error| {
        let text = error.to_string();
        match text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(member) => missing(request.api, member),
            None => ApiError::new(request.api.invalid(), format!("1 validation error detected: {text}")),
        }
    })
}

/// Reads the one text that a request must have under this name.
pub(crate) fn text(request: &ApiRequest, member: &str) -> Result<String, ApiError> {
    match &request.params[member] {
        Value::Null => Err(missing(request.api, member)),
        Value::String(text) => Ok(text.clone()),
        _ => Err(ApiError::new(
            request.api.invalid(),
            format!("1 validation error detected: '{member}' is no text"),
        )),
    }
}

fn missing(api: Api, member: &str) -> ApiError {
    let member = lower_first(member);
    let text = format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    );
    ApiError::new(api.invalid(), text)
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

/// The members by which a listing is asked for a page.
#[derive(Deserialize)]
struct Paging {
    #[serde(rename = "nextToken", alias = "NextToken", alias = "Marker")]
    token: Option<String>,
    #[serde(
        rename = "maxResults",
        alias = "MaxResults",
        alias = "PageSize",
        alias = "limit",
        alias = "MaxRecords"
    )]
    #[serde(default, deserialize_with = "leaf")]
    size: Option<usize>,
}

/// A listing's reply: the page of `items` that the request asks for as `member`, each as `view` shows it. A page has
/// `default` items where the request says nothing, and `most` at the most.
pub(crate) fn listing<T>(
    request: &ApiRequest,
    member: &str,
    (default, most): (usize, usize),
    items: Vec<T>,
    view: impl FnMut(T) -> Value,
) -> Outcome {
    let Paging { token, size } = params(request)?;
    let (size, invalid) = (size.unwrap_or(default), request.api.invalid());
    if request.api == Api::Ecs && !(1..=most).contains(&size) {
        return Err(ApiError::new(invalid, format!("maxResults must be between 1 and {most}.")));
    }
    let (next_member, code, text) = match request.api {
        Api::Ecs => ("nextToken", invalid, "Invalid token in the request."),
        Api::Elb => ("NextMarker", invalid, "Invalid marker"),
        Api::Scaling => ("NextToken", "InvalidNextTokenException", "Invalid next token"),
        Api::Ssm | Api::CloudWatch => ("NextToken", "InvalidNextToken", "The specified token is not valid."),
        Api::SecretsManager => {
            ("NextToken", "InvalidNextTokenException", "The specified token is not valid.")
        }
        Api::CloudMap => ("NextToken", invalid, "Invalid pagination token"),
        Api::Quotas => ("NextToken", "InvalidPaginationTokenException", "Invalid input was provided."),
        _ => ("nextToken", invalid, "The specified nextToken is invalid."),
    };
    let page = page(items, token.as_deref(), size.clamp(1, most));
    let (items, next) = page.ok_or_else(|| ApiError::new(code, text))?;
    Ok(json!({ member: items.into_iter().map(view).collect::<Vec<_>>(), next_member: next }))
}

/// A null is a member that was not given, in a request as in a reply.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Tokens are opaque to callers; the prefix keeps a caller's invention from being taken for one.
const TOKEN: &str = "eyJwYWdlIjo";
