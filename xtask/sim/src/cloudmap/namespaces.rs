//! Namespaces: create, find, delete.

use serde::Deserialize;
use serde_json::{Value, json};

use super::operations::{self, Work};
use super::state::{INVALID, State};
use crate::base::{Base, Millis, Tag, tags};
use crate::identity;
use crate::wire::{Api, ApiError, ApiRequest, Outcome, listing, params, text};

#[derive(Debug, Clone)]
pub(crate) struct Namespace {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// Its name, such as `ielts.local`.
    pub(crate) name: String,
    kind: &'static str,
    description: Option<String>,
    creator_request_id: Option<String>,
    created: Millis,
    hosted_zone_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    creator_request_id: Option<String>,
    description: Option<String>,
    vpc: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Creates the HTTP namespace that a cluster is to have by default.
pub(crate) fn create_http(
    base: &mut Base,
    cloudmap: &mut State,
    identity: &identity::State,
    now: Millis,
    name: &str,
) -> Result<(), ApiError> {
    let params = json!({ "Name": name, "CreatorRequestId": format!("ecs-{name}") });
    let request = ApiRequest::of(Api::CloudMap, "CreateHttpNamespace", params);
    create(base, cloudmap, identity, now, &request, "HTTP").map(drop)
}

pub(super) fn create(
    base: &mut Base,
    cloudmap: &mut State,
    identity: &identity::State,
    now: Millis,
    request: &ApiRequest,
    kind: &'static str,
) -> Outcome {
    let asked: Create = params(request)?;
    let name = asked.name;
    let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
    if name.is_empty() || name.len() > 1024 || !printable || name.starts_with("arn:") {
        return Err(ApiError::new(INVALID, format!("Namespace name '{name}' is not valid")));
    }
    tags::check(Api::CloudMap, &asked.tags)?;
    if kind == "DNS_PRIVATE" && !asked.vpc.as_ref().is_some_and(|vpc| identity.has_vpc(vpc)) {
        let text = format!("The VPC {} does not exist", asked.vpc.unwrap_or_default());
        return Err(ApiError::new(INVALID, text));
    }
    for (operation, work) in operations::pending(cloudmap) {
        let Work::Create(pending) = work else { continue };
        if pending.name != name || pending.kind != kind {
            continue;
        }
        // A retried call carries the same request id and gets the same operation.
        if pending.creator_request_id.is_some() && pending.creator_request_id == asked.creator_request_id {
            return Ok(json!({ "OperationId": operation }));
        }
        let operation_name = if kind == "HTTP" { "CreateHttpNamespace" } else { "CreatePrivateDnsNamespace" };
        let text = format!("Another operation of type {operation_name} and id {operation} is in progress");
        return Err(ApiError::new("DuplicateRequest", text));
    }
    if let Some(existing) = cloudmap.namespaces.values().find(|own| own.name == name && own.kind == kind) {
        let text = format!("Namespace {} with name {name} already exists", existing.id);
        return Err(ApiError::new("NamespaceAlreadyExists", text));
    }
    let id = format!("ns-{}", base.ids.hex(16));
    let namespace = Namespace {
        arn: base.arn("servicediscovery", &format!("namespace/{id}")),
        id,
        name,
        kind,
        description: asked.description,
        creator_request_id: asked.creator_request_id,
        created: now,
        hosted_zone_id: (kind == "DNS_PRIVATE").then(|| format!("Z{}", base.ids.hex(20).to_uppercase())),
    };
    base.tags.put(&namespace.arn, asked.tags);
    let operation = operations::start(base, cloudmap, now, Work::Create(namespace));
    Ok(json!({ "OperationId": operation }))
}

/// The namespace with this name or ARN, once its operation has succeeded.
pub(crate) fn namespace<'a>(cloudmap: &'a State, name_or_arn: &str) -> Option<&'a Namespace> {
    cloudmap.namespaces.values().find(|own| own.arn == name_or_arn || own.name == name_or_arn)
}

/// The ARN, where the namespace exists.
pub(super) fn taggable(own: &State, arn: &str) -> Result<String, ApiError> {
    let namespaces = own.namespaces.values().map(|own| &own.arn);
    let mut known = namespaces.chain(own.services.values().map(|own| &own.arn));
    known
        .find(|own| *own == arn)
        .cloned()
        .ok_or_else(|| ApiError::new("ResourceNotFoundException", format!("Resource not found: {arn}")))
}

fn named<'a>(cloudmap: &'a State, request: &ApiRequest) -> Result<&'a Namespace, ApiError> {
    let id = text(request, "Id")?;
    let found = cloudmap.namespaces.values().find(|own| own.id == id || own.arn == id);
    found.ok_or_else(|| ApiError::new("NamespaceNotFound", format!("Failed to find namespace {id}")))
}

pub(super) fn get(base: &Base, cloudmap: &State, request: &ApiRequest) -> Outcome {
    let namespace = named(cloudmap, request)?;
    let mut description = namespace.describe(&base.settings.account);
    description["CreatorRequestId"] = json!(namespace.creator_request_id);
    Ok(json!({ "Namespace": description }))
}

pub(super) fn delete(base: &mut Base, cloudmap: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let id = named(cloudmap, request)?.id.clone();
    let pending = operations::pending(cloudmap)
        .find(|(_, work)| matches!(work, Work::Delete(own) if *own == id))
        .map(|(operation, _)| operation.to_owned());
    if let Some(operation) = pending {
        let text = format!("Another operation of type DeleteNamespace and id {operation} is in progress");
        return Err(ApiError::new("DuplicateRequest", text));
    }
    if cloudmap.services.values().any(|service| service.is_in(&id)) {
        let text = format!("Namespace {id} contains services; delete the services first");
        return Err(ApiError::new("ResourceInUse", text));
    }
    let operation = operations::start(base, cloudmap, now, Work::Delete(id));
    Ok(json!({ "OperationId": operation }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    #[serde(default)]
    filters: Vec<Filter>,
}

impl List {
    /// Those of `all` that every filter admits. `fact` gives what a filter of this name looks at, where there is such a one.
    pub(super) fn admitted<T>(
        &self,
        base: &Base,
        all: impl Iterator<Item = T>,
        fact: impl Fn(&T, &str) -> Option<String>,
    ) -> Result<Vec<T>, ApiError> {
        let owner = base.settings.account.as_str();
        let mut found = Vec::new();
        for one in all {
            let admitted = self.filters.iter().map(|filter| filter.admits(owner, fact(&one, &filter.name)));
            if admitted.collect::<Result<Vec<_>, _>>()?.into_iter().all(|admitted| admitted) {
                found.push(one);
            }
        }
        Ok(found)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    name: String,
    values: Vec<String>,
    condition: Option<String>,
}

impl Filter {
    fn admits(&self, account: &str, fact: Option<String>) -> Result<bool, ApiError> {
        if self.name == "RESOURCE_OWNER" {
            return Ok(self.values.iter().any(|owner| owner == "SELF" || owner == account));
        }
        let Some(fact) = fact else {
            return Err(ApiError::new(INVALID, format!("Filter name {} is not valid", self.name)));
        };
        match self.condition.as_deref() {
            None | Some("EQ" | "IN") => Ok(self.values.contains(&fact)),
            Some("BEGINS_WITH") => Ok(self.values.iter().any(|value| fact.starts_with(value.as_str()))),
            Some(other) => Err(ApiError::new(
                INVALID,
                format!("Condition {other} is not valid for the filter {}", self.name),
            )),
        }
    }
}

pub(super) fn list(base: &Base, cloudmap: &State, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let owner = &base.settings.account;
    let all = cloudmap.namespaces.values();
    let found = asked.admitted(base, all, |namespace, filter| match filter {
        "TYPE" => Some(namespace.kind.to_owned()),
        "NAME" | "HTTP_NAME" => Some(namespace.name.clone()),
        _ => None,
    })?;
    listing(request, "Namespaces", (100, 100), found, |namespace| namespace.describe(owner))
}

impl Namespace {
    fn describe(&self, owner: &str) -> Value {
        let zone = |id: &String| json!({ "HostedZoneId": id, "SOA": { "TTL": 15 } });
        json!({
            "Id": self.id,
            "Arn": self.arn,
            "ResourceOwner": owner,
            "Name": self.name,
            "Type": self.kind,
            "Description": self.description,
            "Properties": {
                "HttpProperties": { "HttpName": self.name },
                "DnsProperties": self.hosted_zone_id.as_ref().map(zone),
            },
            "CreateDate": self.created.epoch_secs(),
        })
    }
}
