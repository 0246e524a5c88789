//! What parameters may be called, and how requests name them: a name or an ARN, with a version or without.

use crate::base::Base;
use crate::wire::ApiError;

/// A parameter as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Its full name: hierarchical ones begin with a slash.
    pub(super) name: String,
    /// What follows the name's colon: a version's number.
    pub(super) selector: Option<String>,
}

/// Reads a name or an ARN. `None` for an ARN of another account or region, of which nothing is known here.
pub(super) fn named(base: &Base, text: &str) -> Option<Named> {
    let text = if text.starts_with("arn:") {
        let path = text.strip_prefix(&base.arn("ssm", "parameter"))?;
        // The slash after `parameter` belongs to a hierarchical name, and only divides before a flat one.
        match path.strip_prefix('/') {
            Some(flat) if !flat.contains('/') => flat,
            _ => path,
        }
    } else {
        text
    };
    let (name, selector) = match text.split_once(':') {
        Some((name, selector)) => (name, Some(selector.to_owned())),
        None => (text, None),
    };
    Some(Named { name: name.to_owned(), selector })
}

/// Refuses what no parameter may be called (SSM user guide, "Parameter names").
pub(super) fn check(name: &str) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    let reserved = ["aws", "ssm"].into_iter().find(|prefix| first.starts_with(prefix));
    let empty_part = name.trim_start_matches('/').split('/').any(str::is_empty);
    if reserved.is_some() || empty_part || !name.chars().all(fits) {
        let prefix = reserved.unwrap_or("ssm");
        return Err(invalid(format!(
            "Parameter name: can't be prefixed with \"{prefix}\" (case-insensitive). If formed as a path, it can consist \
             of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the \
             following 3 symbols .-_"
        )));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    Ok(())
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}
