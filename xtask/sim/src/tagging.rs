//! Tags of all the account's resources, by ARN: one store, the operations that each API has for them, and Resource
//! Groups Tagging's GetResources over all of them.
//!
//! As in AWS, GetResources names what is gone for as long as its tags are kept: an INACTIVE service, a deregistered
//! revision.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::account::{Account, Operations};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, page, params};

/// Tags per resource, in all of these APIs.
const MOST: usize = 50;

/// One tag, in ECS's spelling; the others' `Key` and `Value` are read too. The value may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Tag {
    #[serde(alias = "Key")]
    pub(crate) key: String,
    #[serde(default, alias = "Value")]
    pub(crate) value: String,
}

/// The tags of the account's resources, by ARN and key.
#[derive(Debug, Default)]
pub(crate) struct Tags(BTreeMap<String, BTreeMap<String, String>>);

impl Tags {
    /// The resource's tags in the order of their keys.
    pub(crate) fn of(&self, arn: &str) -> Vec<Tag> {
        let tags = self.0.get(arn).into_iter().flatten();
        tags.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
    }

    /// Adds tags, replacing those of the same keys.
    pub(crate) fn put(&mut self, arn: &str, tags: Vec<Tag>) {
        if !tags.is_empty() {
            let stored = self.0.entry(arn.to_owned()).or_default();
            stored.extend(tags.into_iter().map(|tag| (tag.key, tag.value)));
        }
    }

    #[cfg(test)]
    pub(crate) fn arns(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    pub(crate) fn forget(&mut self, arn: &str) {
        self.0.remove(arn);
    }
}

/// Reads the tags of a request: a list, a map in CloudWatch Logs and Application Auto Scaling, an empty
/// text in an empty form.
pub(crate) fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Tag>, D::Error> {
    let tags = match Value::deserialize(deserializer)? {
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
        }
        Value::String(text) if text.is_empty() => json!([]),
        list => list,
    };
    serde_json::from_value(tags).map_err(serde::de::Error::custom)
}

/// Refuses what no resource can be tagged with; creating calls ask before they create.
pub(crate) fn check(api: Api, tags: &[Tag]) -> Result<(), ApiError> {
    let code = match api {
        Api::Ecr => "InvalidTagParameterException",
        api => api.invalid(),
    };
    if tags.len() > MOST {
        return Err(too_many(api));
    }
    // `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: letters are no combining marks, of which these are the common ones.
    let mark = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{20d0}'..='\u{20ff}');
    let fits = |c: char| c.is_alphanumeric() && !mark(c) || " +-=._:/@".contains(c);
    for (index, Tag { key, value }) in tags.iter().enumerate() {
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(ApiError::new(code, "Tag key or value has an invalid length."));
        }
        if [key, value].iter().any(|it| it.to_ascii_lowercase().starts_with("aws:")) {
            return Err(ApiError::new(
                code,
                "Tag keys and values that start with aws: are reserved for system use.",
            ));
        }
        if !key.chars().chain(value.chars()).all(fits) {
            let text = "Some tags contain invalid characters. Valid characters: UTF-8 letters, spaces, numbers and _ . / = + - : @";
            return Err(ApiError::new(code, text));
        }
        if tags[..index].iter().any(|other| other.key == *key) {
            let code = if api == Api::Elb { "DuplicateTagKeys" } else { code };
            return Err(ApiError::new(code, "Duplicate keys found in tags."));
        }
    }
    Ok(())
}

fn too_many(api: Api) -> ApiError {
    let code = match api {
        Api::Ecs => api.invalid(),
        Api::Elb => "TooManyTags",
        _ => "TooManyTagsException",
    };
    ApiError::new(code, "Tags can not be more than 50.")
}

/// The members of the tag operations, in all spellings; only load balancing takes several resources.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    #[serde(
        alias = "ResourceARN",
        alias = "ResourceArns",
        alias = "SecretId",
        deserialize_with = "crate::wire::texts"
    )]
    resource_arn: Vec<String>,
    #[serde(default, alias = "Tags", deserialize_with = "given")]
    tags: Vec<Tag>,
    #[serde(default, alias = "TagKeys", deserialize_with = "crate::wire::texts")]
    tag_keys: Vec<String>,
}

/// The ARN under which a resource's tags are kept, or the API's own error where there is no such resource.
type Known = fn(&Account, &str) -> Result<String, ApiError>;

fn asked(account: &Account, request: &ApiRequest, known: Known) -> Result<(Asked, Vec<String>), ApiError> {
    let asked: Asked = params(request)?;
    let arns = asked.resource_arn.iter().map(|arn| known(account, arn)).collect::<Result<_, _>>()?;
    Ok((asked, arns))
}

/// TagResource, and load balancing's AddTags.
pub(crate) fn tag(account: &mut Account, request: &ApiRequest, known: Known) -> Outcome {
    let (asked, arns) = asked(account, request, known)?;
    check(request.api, &asked.tags)?;
    for arn in &arns {
        let mut kept = account.tags.of(arn);
        kept.retain(|own| asked.tags.iter().all(|new| new.key != own.key));
        if kept.len() + asked.tags.len() > MOST {
            return Err(too_many(request.api));
        }
        account.tags.put(arn, asked.tags.clone());
    }
    Ok(json!({}))
}

/// UntagResource, and load balancing's RemoveTags.
pub(crate) fn untag(account: &mut Account, request: &ApiRequest, known: Known) -> Outcome {
    let (asked, arns) = asked(account, request, known)?;
    for arn in &arns {
        let tags = account.tags.0.entry(arn.clone()).or_default();
        tags.retain(|key, _| !asked.tag_keys.contains(key));
    }
    Ok(json!({}))
}

/// ListTagsForResource, and load balancing's DescribeTags.
pub(crate) fn list(account: &Account, request: &ApiRequest, known: Known) -> Outcome {
    let (_, arns) = asked(account, request, known)?;
    let shown = |arn: &String| match request.api {
        Api::Ecs => json!(account.tags.of(arn)),
        Api::Logs | Api::Scaling => json!(account.tags.0.get(arn).cloned().unwrap_or_default()),
        _ => account.tags.of(arn).iter().map(pascal).collect(),
    };
    Ok(match request.api {
        Api::Elb => {
            let described = |arn| json!({ "ResourceArn": arn, "Tags": shown(arn) });
            json!({ "TagDescriptions": arns.iter().map(described).collect::<Vec<_>>() })
        }
        Api::Scaling | Api::CloudMap => json!({ "Tags": arns.first().map(shown) }),
        _ => json!({ "tags": arns.first().map(shown) }),
    })
}

/// A tag as Secrets Manager and Systems Manager spell it; ECS writes `key` and `value`.
pub(crate) fn pascal(tag: &Tag) -> Value {
    json!({ "Key": tag.key, "Value": tag.value })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetResources {
    #[serde(default)]
    tag_filters: Vec<Filter>,
    /// Such as `ecs:cluster`, or `ecs` for all of a service.
    #[serde(default)]
    resource_type_filters: Vec<String>,
    resources_per_page: Option<usize>,
    pagination_token: Option<String>,
}

/// A resource passes with any of the values, and with the key alone where there are none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

pub(crate) const OPERATIONS: Operations =
    &[("GetResources", |account, _, request| get_resources(account, request))];

fn get_resources(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: GetResources = params(request)?;
    let found = account.tags.0.keys().filter(|arn| asked.admits(arn, &account.tags.0[*arn])).collect();
    let size = asked.resources_per_page.unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(ApiError::new(request.api.invalid(), "ResourcesPerPage must be between 1 and 100"));
    }
    let token = asked.pagination_token.as_deref().filter(|token| !token.is_empty());
    let (found, next) = page(found, token, size).ok_or_else(|| {
        ApiError::new("PaginationTokenExpiredException", "The pagination token has expired")
    })?;
    let mapping = |arn: &String| {
        let tags: Vec<Value> = account.tags.of(arn).iter().map(pascal).collect();
        json!({ "ResourceARN": arn, "Tags": tags })
    };
    Ok(json!({
        "PaginationToken": next.unwrap_or_default(),
        "ResourceTagMappingList": found.into_iter().map(mapping).collect::<Vec<Value>>(),
    }))
}

impl GetResources {
    fn admits(&self, arn: &str, tags: &BTreeMap<String, String>) -> bool {
        let passes = |filter: &Filter| {
            let value = tags.get(&filter.key);
            value.is_some_and(|value| filter.values.is_empty() || filter.values.contains(value))
        };
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
        let kind = resource.split([':', '/']).next().unwrap_or_default();
        let of_type = |wanted: &String| *wanted == service || *wanted == format!("{service}:{kind}");
        // GetResources lists only what has tags.
        !tags.is_empty()
            && self.tag_filters.iter().all(passes)
            && (self.resource_type_filters.is_empty() || self.resource_type_filters.iter().any(of_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::account::Millis;
    use crate::wire::Api;

    fn call(account: &mut Account, api: Api, operation: &str, params: Value) -> Value {
        account.handle(Millis(0), &ApiRequest::of(api, operation, params)).unwrap()
    }

    #[test]
    fn resources_of_all_services_are_found_by_their_tags_a_page_at_a_time() {
        let mut account = Account::new(Settings::default());
        let tag = json!([{ "key": "app", "value": "a" }, { "key": "environment", "value": "x" }]);
        call(&mut account, Api::Ecs, "CreateCluster", json!({ "clusterName": "one", "tags": tag }));
        call(
            &mut account,
            Api::Logs,
            "CreateLogGroup",
            json!({ "logGroupName": "/one", "tags": { "app": "a" } }),
        );
        call(
            &mut account,
            Api::Logs,
            "CreateLogGroup",
            json!({ "logGroupName": "/two", "tags": { "app": "b" } }),
        );
        let filters = json!([{ "Key": "app", "Values": ["a"] }]);
        let first = json!({ "TagFilters": filters, "ResourcesPerPage": 1 });
        let page = call(&mut account, Api::Tagging, "GetResources", first);
        let arn = |page: &Value| page["ResourceTagMappingList"][0]["ResourceARN"].clone();
        assert_eq!(arn(&page), "arn:aws:ecs:ap-southeast-1:123456789012:cluster/one");
        let next = json!({ "TagFilters": filters, "PaginationToken": page["PaginationToken"] });
        let page = call(&mut account, Api::Tagging, "GetResources", next);
        assert_eq!(
            (arn(&page), &page["PaginationToken"]),
            (json!("arn:aws:logs:ap-southeast-1:123456789012:log-group:/one"), &json!(""))
        );
        let typed = json!({ "TagFilters": [{ "Key": "app" }], "ResourceTypeFilters": ["logs:log-group"] });
        let page = call(&mut account, Api::Tagging, "GetResources", typed);
        assert_eq!(page["ResourceTagMappingList"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn tag_limits_are_those_of_the_fact_sheet_section_12() {
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        let check = |tags: &[Tag]| check(Api::Ecs, tags);
        assert!(check(&[tag("deploy:commit", "4f2a9c1 + dirty=yes @main/x_-.")]).is_ok());
        for bad in [
            tag("", "x"),
            tag("aws:owner", "x"),
            tag("owner", "AWS:x"),
            tag("a!", "x"),
            tag("a", &"v".repeat(257)),
            tag(&"k".repeat(129), ""),
        ] {
            assert_eq!(check(&[bad]).unwrap_err().code, "InvalidParameterException");
        }
        assert!(check(&[tag("a", "1"), tag("a", "2")]).is_err());
        let many: Vec<Tag> = (0..51).map(|n| tag(&n.to_string(), "")).collect();
        assert!(check(&many).is_err());
    }
}
