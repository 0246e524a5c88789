//! Resource Groups Tagging: GetResources, over the tags of all the account's resources.
//!
//! As in AWS it names what is gone for as long as its tags are kept: an INACTIVE service, a deregistered revision.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::Account;
use crate::wire::{ApiError, ApiRequest, Outcome, page, params};
use crate::{cloudmap, ecr, ecs, elb, logs, scaling};

/// A resource's ARN and its tags.
pub(crate) type Tagged = (String, BTreeMap<String, String>);

const INVALID: &str = "InvalidParameterException";

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

/// Answers a tagging call.
pub(crate) fn handle(account: &Account, request: &ApiRequest) -> Outcome {
    match request.operation.as_str() {
        "GetResources" => get_resources(account, request),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

fn get_resources(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: GetResources = params(request, INVALID)?;
    let mut found: Vec<Tagged> = [
        ecs::tagged(account),
        elb::tagged(account),
        ecr::tagged(account),
        logs::tagged(account),
        scaling::tagged(account),
        cloudmap::tagged(account),
    ]
    .concat();
    found.retain(|(arn, tags)| asked.admits(arn, tags));
    found.sort();
    let size = asked.resources_per_page.unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(ApiError::new(INVALID, "ResourcesPerPage must be between 1 and 100"));
    }
    let token = asked.pagination_token.as_deref().filter(|token| !token.is_empty());
    let (found, next) = page(found, token, size).ok_or_else(|| {
        ApiError::new("PaginationTokenExpiredException", "The pagination token has expired")
    })?;
    let tag = |(key, value): (&String, &String)| json!({ "Key": key, "Value": value });
    let mapping = |(arn, tags): Tagged| json!({ "ResourceARN": arn, "Tags": tags.iter().map(tag).collect::<Vec<Value>>() });
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
}
