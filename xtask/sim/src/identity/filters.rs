//! EC2's `Filter.N` and id lists, the same for every describe call.

use serde::Deserialize;

use crate::wire::{ApiError, ApiRequest, list, params, wildcard};

/// One filter: its values are alternatives, and several filters must all hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    name: String,
    #[serde(default, rename = "Value", deserialize_with = "list")]
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Filters {
    #[serde(default, rename = "Filter", deserialize_with = "list")]
    filters: Vec<Filter>,
}

/// A resource that a describe call can filter.
pub(super) trait Filterable {
    /// What a filter of this name compares with; `None` when the call has no such filter.
    fn facts(&self, filter: &str) -> Option<Vec<String>>;
    fn id(&self) -> &str;
}

/// The resources that every filter of the request admits and, when `ids` is not empty, that it names.
/// `not_found` and `malformed` are the resource's own error codes, `prefix` what its ids begin with.
pub(super) fn select<'a, T: Filterable>(
    request: &ApiRequest,
    all: &'a [T],
    ids: &[String],
    kind: &Kind,
) -> Result<Vec<&'a T>, ApiError> {
    for id in ids {
        if !id.starts_with(kind.prefix) {
            let text = format!("Invalid id: \"{id}\" (expecting \"{}...\")", kind.prefix);
            return Err(ApiError::new(kind.malformed, text));
        }
        if !all.iter().any(|own| own.id() == id) {
            return Err(ApiError::new(kind.not_found, format!("The {} '{id}' does not exist", kind.name)));
        }
    }
    let Filters { filters } = params(request)?;
    let mut selected = Vec::new();
    for resource in all.iter().filter(|own| ids.is_empty() || ids.iter().any(|id| id == own.id())) {
        let mut admitted = true;
        for filter in &filters {
            let facts = resource.facts(&filter.name).ok_or_else(|| {
                ApiError::new("InvalidParameterValue", format!("The filter '{}' is invalid", filter.name))
            })?;
            admitted &= facts.iter().any(|fact| filter.values.iter().any(|value| wildcard(value, fact)));
        }
        if admitted {
            selected.push(resource);
        }
    }
    Ok(selected)
}

/// How a kind of resource names itself in errors.
pub(super) struct Kind {
    pub(super) prefix: &'static str,
    pub(super) name: &'static str,
    pub(super) malformed: &'static str,
    pub(super) not_found: &'static str,
}
