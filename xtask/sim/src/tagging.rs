//! The operations that each API has for tags, and Resource Groups Tagging's GetResources over all of them.
//!
//! As in AWS, GetResources names what is gone for as long as its tags are kept: an INACTIVE service, a deregistered
//! revision.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::Base;
use crate::base::tags::{MOST, Tag, check, given, pascal, too_many};
use crate::wire::{Api, ApiError, ApiRequest, Operations, Outcome, page, params};

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
type Known<'a> = &'a dyn Fn(&Base, &str) -> Result<String, ApiError>;

fn asked(base: &Base, request: &ApiRequest, known: Known<'_>) -> Result<(Asked, Vec<String>), ApiError> {
    let asked: Asked = params(request)?;
    let arns = asked.resource_arn.iter().map(|arn| known(base, arn)).collect::<Result<_, _>>()?;
    Ok((asked, arns))
}

/// TagResource, and load balancing's AddTags.
pub(crate) fn tag(base: &mut Base, request: &ApiRequest, known: Known<'_>) -> Outcome {
    let (asked, arns) = asked(base, request, known)?;
    check(request.api, &asked.tags)?;
    for arn in &arns {
        let mut kept = base.tags.of(arn);
        kept.retain(|own| asked.tags.iter().all(|new| new.key != own.key));
        if kept.len() + asked.tags.len() > MOST {
            return Err(too_many(request.api));
        }
        base.tags.put(arn, asked.tags.clone());
    }
    Ok(json!({}))
}

/// UntagResource, and load balancing's RemoveTags.
pub(crate) fn untag(base: &mut Base, request: &ApiRequest, known: Known<'_>) -> Outcome {
    let (asked, arns) = asked(base, request, known)?;
    for arn in &arns {
        base.tags.remove(arn, &asked.tag_keys);
    }
    Ok(json!({}))
}

/// ListTagsForResource, and load balancing's DescribeTags.
pub(crate) fn list(base: &Base, request: &ApiRequest, known: Known<'_>) -> Outcome {
    let (_, arns) = asked(base, request, known)?;
    let shown = |arn: &String| match request.api {
        Api::Ecs => json!(base.tags.of(arn)),
        Api::Logs | Api::Scaling => json!(base.tags.map(arn)),
        _ => base.tags.of(arn).iter().map(pascal).collect(),
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

pub(crate) const OPERATIONS: Operations<fn(&Base, &ApiRequest) -> Outcome> =
    &[("GetResources", get_resources)];

fn get_resources(base: &Base, request: &ApiRequest) -> Outcome {
    let asked: GetResources = params(request)?;
    let found = base.tags.all().filter(|(arn, tags)| asked.admits(arn, tags)).map(|(arn, _)| arn).collect();
    let size = asked.resources_per_page.unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(ApiError::new(request.api.invalid(), "ResourcesPerPage must be between 1 and 100"));
    }
    let token = asked.pagination_token.as_deref().filter(|token| !token.is_empty());
    let (found, next) = page(found, token, size).ok_or_else(|| {
        ApiError::new("PaginationTokenExpiredException", "The pagination token has expired")
    })?;
    let mapping = |arn: &String| {
        let tags: Vec<Value> = base.tags.of(arn).iter().map(pascal).collect();
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
    use crate::account::Account;
    use crate::clock::Millis;
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
}
