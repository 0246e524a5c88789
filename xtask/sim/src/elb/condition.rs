//! When a rule applies: conditions on path, host, method and query string.

use serde::{Deserialize, Serialize};

use super::state::invalid;
use crate::wire::{ApiError, list, wildcard};

/// A condition, in the API's names. AWS shows path and host conditions in both forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Condition {
    field: String,
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_pattern_config: Option<Config<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_header_config: Option<Config<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_request_method_config: Option<Config<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_config: Option<Config<Pair>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config<T> {
    #[serde(
        default = "Vec::new",
        deserialize_with = "list",
        bound(deserialize = "T: serde::de::DeserializeOwned")
    )]
    values: Vec<T>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    value: String,
}

/// A request, as conditions see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// Without the port.
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
}

/// Condition values per rule, over all its conditions (ELB quotas).
const MAX_VALUES: usize = 5;

/// Checks a rule's conditions and completes them, as AWS shows them afterwards.
pub(super) fn complete(conditions: Vec<Condition>) -> Result<Vec<Condition>, ApiError> {
    if conditions.is_empty() {
        return Err(invalid("A rule must have at least one condition"));
    }
    let complete: Vec<Condition> =
        conditions.into_iter().map(Condition::complete).collect::<Result<_, _>>()?;
    if complete.iter().map(Condition::count).sum::<usize>() > MAX_VALUES {
        return Err(invalid(format!("A rule can only have '{MAX_VALUES}' condition values")));
    }
    for once in ["path-pattern", "host-header", "http-request-method"] {
        if complete.iter().filter(|condition| condition.field == once).count() > 1 {
            return Err(invalid(format!("A rule can only have one '{once}' condition")));
        }
    }
    Ok(complete)
}

impl Condition {
    fn complete(mut self) -> Result<Self, ApiError> {
        let config = match self.field.as_str() {
            "path-pattern" => &mut self.path_pattern_config,
            "host-header" => &mut self.host_header_config,
            "http-request-method" => &mut self.http_request_method_config,
            "query-string" => {
                let pairs = self.query_string_config.as_ref().map_or(0, |config| config.values.len());
                return if pairs == 0 { Err(empty("query-string")) } else { Ok(self) };
            }
            "http-header" | "source-ip" => {
                let text = format!("Conditions on '{}' are not served", self.field);
                return Err(ApiError::new("InvalidConfigurationRequest", text));
            }
            other => {
                return Err(invalid(format!(
                    "Condition field '{other}' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'"
                )));
            }
        };
        let values = match config.take() {
            Some(config) if self.values.is_empty() || self.values == config.values => config.values,
            Some(_) => {
                return Err(invalid("You must use either the Values or the configuration of a condition"));
            }
            None => std::mem::take(&mut self.values),
        };
        if values.is_empty() {
            return Err(empty(&self.field));
        }
        for value in &values {
            check_value(&self.field, value)?;
        }
        *config = Some(Config { values: values.clone() });
        // The method condition is newer than the short form and has only the long one.
        self.values = if self.field == "http-request-method" { Vec::new() } else { values };
        Ok(self)
    }

    fn count(&self) -> usize {
        let query = self.query_string_config.as_ref().map_or(0, |config| config.values.len());
        let method = self.http_request_method_config.as_ref().map_or(0, |config| config.values.len());
        self.values.len() + query + method
    }

    /// Whether the request meets the condition: one of its values matches.
    pub(super) fn matches(&self, asked: Asked<'_>) -> bool {
        match self.field.as_str() {
            "path-pattern" => self.values.iter().any(|pattern| wildcard(pattern, asked.path)),
            "host-header" => {
                let host = asked.host.to_ascii_lowercase();
                self.values.iter().any(|pattern| wildcard(&pattern.to_ascii_lowercase(), &host))
            }
            "http-request-method" => self
                .http_request_method_config
                .iter()
                .flat_map(|config| &config.values)
                .any(|own| own == asked.method),
            "query-string" => {
                let mut wanted = self.query_string_config.iter().flat_map(|config| &config.values);
                wanted.any(|pair| {
                    form_urlencoded::parse(asked.query.as_bytes()).any(|(key, value)| {
                        pair.key.as_ref().is_none_or(|own| wildcard(&own.to_lowercase(), &key.to_lowercase()))
                            && wildcard(&pair.value.to_lowercase(), &value.to_lowercase())
                    })
                })
            }
            _ => false,
        }
    }
}

fn empty(field: &str) -> ApiError {
    invalid(format!("A condition value must be specified for '{field}'"))
}

fn check_value(field: &str, value: &str) -> Result<(), ApiError> {
    if value.is_empty() || value.chars().count() > 128 {
        return Err(invalid(format!("Condition value '{value}' must have 1 to 128 characters")));
    }
    let allowed = match field {
        "path-pattern" => "_-.$/~\"'@:+&*?",
        "host-header" => "-.*?",
        _ => "-_",
    };
    let valid = value.chars().all(|char| char.is_ascii_alphanumeric() || allowed.contains(char));
    if valid {
        Ok(())
    } else {
        Err(invalid(format!("Condition value '{value}' contains a character that is not valid")))
    }
}
