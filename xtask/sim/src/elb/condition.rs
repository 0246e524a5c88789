//! When a rule applies: conditions on path, host, headers, method, query string and the client's address.

use std::net::IpAddr;

use http::HeaderMap;

use serde::{Deserialize, Serialize};

use super::error::invalid;
use crate::wire::{ApiError, list, wildcard};

/// A condition, in the API's names. AWS shows path and host conditions in both forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Condition {
    field: String,
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    path_pattern_config: Option<Config<String>>,
    host_header_config: Option<Config<String>>,
    http_request_method_config: Option<Config<String>>,
    query_string_config: Option<Config<Pair>>,
    http_header_config: Option<HeaderConfig>,
    source_ip_config: Option<Config<String>>,
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
    #[serde(default, deserialize_with = "list", skip_serializing)]
    regex_values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HeaderConfig {
    #[serde(default)]
    http_header_name: String,
    #[serde(default, deserialize_with = "list")]
    values: Vec<String>,
    #[serde(default, deserialize_with = "list", skip_serializing)]
    regex_values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    key: Option<String>,
    value: String,
}

/// A request, as conditions see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// The Host header without its port.
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    /// The connection's other end, whatever `X-Forwarded-For` says.
    pub(super) client: IpAddr,
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
    for once in ["path-pattern", "host-header", "http-request-method", "source-ip"] {
        if complete.iter().filter(|condition| condition.field == once).count() > 1 {
            return Err(invalid(format!("A rule can only have one '{once}' condition")));
        }
    }
    Ok(complete)
}

impl Condition {
    fn complete(mut self) -> Result<Self, ApiError> {
        let configs = [
            &self.path_pattern_config,
            &self.host_header_config,
            &self.http_request_method_config,
            &self.source_ip_config,
        ];
        let header = self.http_header_config.as_ref();
        if configs.into_iter().flatten().any(|config| !config.regex_values.is_empty())
            || header.is_some_and(|config| !config.regex_values.is_empty())
        {
            let text = "Regular expressions in conditions are not served: use values with wildcards";
            return Err(ApiError::new("InvalidConfigurationRequest", text));
        }
        let config = match self.field.as_str() {
            "path-pattern" => &mut self.path_pattern_config,
            "host-header" => &mut self.host_header_config,
            "http-request-method" => &mut self.http_request_method_config,
            "query-string" => {
                let pairs = self.query_string_config.as_ref().map_or(0, |config| config.values.len());
                return if pairs == 0 { Err(empty("query-string")) } else { Ok(self) };
            }
            "source-ip" => &mut self.source_ip_config,
            "http-header" => {
                check_header(self.http_header_config.as_ref())?;
                return Ok(self);
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
        *config = Some(Config { values: values.clone(), regex_values: Vec::new() });
        // The other conditions are newer than the short form and have only the long one.
        let short = matches!(&*self.field, "path-pattern" | "host-header");
        self.values = if short { values } else { Vec::new() };
        Ok(self)
    }

    fn count(&self) -> usize {
        let query = self.query_string_config.as_ref().map_or(0, |config| config.values.len());
        let long = [&self.http_request_method_config, &self.source_ip_config].into_iter().flatten();
        let header = self.http_header_config.as_ref().map_or(0, |config| config.values.len());
        self.values.len() + query + header + long.map(|config| config.values.len()).sum::<usize>()
    }

    /// Whether the request meets the condition: one of its values matches.
    pub(super) fn matches(&self, asked: Asked<'_>) -> bool {
        match self.field.as_str() {
            "path-pattern" => self.values.iter().any(|pattern| wildcard(pattern, asked.path)),
            // Hosts, headers and query strings are compared without case, paths with it (ELB user guide, rule conditions).
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
            "http-header" => self.http_header_config.as_ref().is_some_and(|config| {
                let sent = asked.headers.get_all(config.http_header_name.as_str()).iter();
                let mut sent = sent.filter_map(|value| Some(value.to_str().ok()?.to_ascii_lowercase()));
                sent.any(|sent| config.values.iter().any(|own| wildcard(&own.to_ascii_lowercase(), &sent)))
            }),
            "source-ip" => {
                let mut blocks = self.source_ip_config.iter().flat_map(|config| &config.values);
                blocks.any(|block| contains(block, asked.client).unwrap_or(false))
            }
            _ => false,
        }
    }
}

/// Whether an address is in a CIDR block; `None` for what is no block.
fn contains(block: &str, address: IpAddr) -> Option<bool> {
    let (network, bits) = block.split_once('/')?;
    let bits: u32 = bits.parse().ok()?;
    let (network, address, length) = match (network.parse().ok()?, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits().into(), address.to_bits().into(), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        (network, _) => return (bits <= if network.is_ipv4() { 32 } else { 128 }).then_some(false),
    };
    let rest = 128 - (128 - length) - bits.min(length);
    let equal =
        |one: u128, other: u128| one.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0);
    (bits <= length).then(|| equal(network, address))
}

fn check_header(config: Option<&HeaderConfig>) -> Result<(), ApiError> {
    let Some(HeaderConfig { http_header_name: name, values, .. }) = config.filter(|it| !it.values.is_empty())
    else {
        return Err(empty("http-header"));
    };
    if name.is_empty() || name.len() > 40 || http::HeaderName::try_from(name.as_str()).is_err() {
        return Err(invalid(format!(
            "HTTP header name '{name}' must be a header's name of 1 to 40 characters"
        )));
    }
    if name.eq_ignore_ascii_case("host") {
        return Err(invalid("The Host header has a condition of its own: use 'host-header'"));
    }
    values.iter().try_for_each(|value| check_value("http-header", value))
}

fn empty(field: &str) -> ApiError {
    invalid(format!("A condition value must be specified for '{field}'"))
}

fn check_value(field: &str, value: &str) -> Result<(), ApiError> {
    if value.is_empty() || value.chars().count() > 128 {
        return Err(invalid(format!("Condition value '{value}' must have 1 to 128 characters")));
    }
    if field == "source-ip" {
        let known = contains(value, IpAddr::from([127, 0, 0, 1])).is_some();
        return if known { Ok(()) } else { Err(invalid(format!("The CIDR block '{value}' is not valid"))) };
    }
    let allowed = |char: char| match field {
        "http-header" => char.is_ascii_graphic() || char == ' ',
        "path-pattern" => char.is_ascii_alphanumeric() || "_-.$/~\"'@:+&*?".contains(char),
        "host-header" => char.is_ascii_alphanumeric() || "-.*?".contains(char),
        _ => char.is_ascii_alphanumeric() || "-_".contains(char),
    };
    if value.chars().all(allowed) {
        Ok(())
    } else {
        Err(invalid(format!("Condition value '{value}' contains a character that is not valid")))
    }
}
