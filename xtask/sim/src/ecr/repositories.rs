//! Repositories: create, describe, delete.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{invalid, repository_not_found};
use super::mutability::MutabilityParams;
use super::store::Repository;
use crate::account::{Account, Millis};
use crate::tagging::{self, Tag};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, listing, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    repository_name: String,
    #[serde(default)]
    tags: Vec<Tag>,
    image_scanning_configuration: Option<Scanning>,
    encryption_configuration: Option<Encryption>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scanning {
    #[serde(default)]
    scan_on_push: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encryption {
    encryption_type: String,
}

pub(super) fn create(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Create = params(request)?;
    let mutability = params::<MutabilityParams>(request)?.check()?;
    let name = asked.repository_name;
    if !is_name(&name) {
        let text = "must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'";
        return Err(invalid("repositoryName", text));
    }
    if asked.encryption_configuration.is_some_and(|encryption| encryption.encryption_type != "AES256") {
        return Err(ApiError::new("KmsException", "KMS is not served: use the encryption type 'AES256'"));
    }
    let registry = &account.settings.account;
    if account.ecr.repository_exists(&name) {
        let text =
            format!("The repository with name '{name}' already exists in the registry with id '{registry}'");
        return Err(ApiError::new("RepositoryAlreadyExistsException", text));
    }
    tagging::check(Api::Ecr, &asked.tags)?;
    let repository = Repository {
        arn: account.arn("ecr", &format!("repository/{name}")),
        uri: format!("{}/{name}", account.settings.registry_host),
        name,
        created: now,
        mutability,
        scan_on_push: asked.image_scanning_configuration.is_some_and(|scanning| scanning.scan_on_push),
        lifecycle_policy: None,
        policy: None,
        blobs: Default::default(),
        images: Default::default(),
        image_tags: Default::default(),
    };
    let description = repository.describe(registry);
    account.tags.put(&repository.arn, asked.tags);
    account.ecr.repositories.insert(repository.name.clone(), repository);
    Ok(json!({ "repository": description }))
}

/// 2 to 256 characters: lowercase words of letters and digits with single separators, in `/`-separated parts.
fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    (2..=256).contains(&name.len()) && name.split('/').all(|part| part.split(['.', '_', '-']).all(word))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    registry_id: Option<String>,
    #[serde(default)]
    repository_names: Vec<String>,
}

pub(super) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let registry = &account.settings.account;
    let all = &account.ecr.repositories;
    let found: Vec<&Repository> = match asked.repository_names.as_slice() {
        [] => all.values().collect(),
        names => names
            .iter()
            .map(|name| {
                let own =
                    all.get(name).filter(|_| asked.registry_id.as_ref().is_none_or(|id| id == registry));
                own.ok_or_else(|| repository_not_found(account, name, asked.registry_id.as_deref()))
            })
            .collect::<Result<_, _>>()?,
    };
    listing(request, "repositories", (100, 1000), found, |own| own.describe(registry))
}

#[derive(Debug, Deserialize)]
struct Delete {
    #[serde(default)]
    force: bool,
}

pub(super) fn delete(account: &mut Account, request: &ApiRequest) -> Outcome {
    let Delete { force } = params(request)?;
    let registry = account.settings.account.clone();
    let repository = named(account, request)?;
    if !force && !repository.images.is_empty() {
        let text = format!(
            "The repository with name '{}' in registry with id '{registry}' cannot be deleted because it still contains images",
            repository.name
        );
        return Err(ApiError::new("RepositoryNotEmptyException", text));
    }
    let (name, arn) = (repository.name.clone(), repository.arn.clone());
    let description = repository.describe(&registry);
    account.ecr.repositories.remove(&name);
    account.tags.forget(&arn);
    Ok(json!({ "repository": description }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutScanning {
    image_scanning_configuration: Scanning,
}

pub(super) fn put_scanning(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: PutScanning = params(request)?;
    let registry = account.settings.account.clone();
    let repository = named_mut(account, request)?;
    repository.scan_on_push = asked.image_scanning_configuration.scan_on_push;
    Ok(json!({
        "registryId": registry,
        "repositoryName": repository.name,
        "imageScanningConfiguration": { "scanOnPush": repository.scan_on_push },
    }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    registry_id: Option<String>,
    repository_name: String,
}

/// The repository that a request names.
pub(super) fn named<'a>(account: &'a Account, request: &ApiRequest) -> Result<&'a Repository, ApiError> {
    let Named { registry_id, repository_name: name } = params(request)?;
    let ours = registry_id.as_ref().is_none_or(|id| *id == account.settings.account);
    let found = account.ecr.repositories.get(&name).filter(|_| ours);
    found.ok_or_else(|| repository_not_found(account, &name, registry_id.as_deref()))
}

/// The ARN, where the repository exists.
pub(super) fn taggable(account: &Account, arn: &str) -> Result<String, ApiError> {
    let name = arn.strip_prefix(&account.arn("ecr", "repository/"));
    let name = name.ok_or_else(|| invalid("resourceArn", "Invalid ARN"))?;
    let known = account.ecr.repositories.get(name);
    known.map(|own| own.arn.clone()).ok_or_else(|| repository_not_found(account, name, None))
}

/// The repository that a request names, to be changed.
pub(super) fn named_mut<'a>(
    account: &'a mut Account,
    request: &ApiRequest,
) -> Result<&'a mut Repository, ApiError> {
    let name = named(account, request)?.name.clone();
    let missing = repository_not_found(account, &name, None);
    account.ecr.repositories.get_mut(&name).ok_or(missing)
}

impl Repository {
    fn describe(&self, registry: &str) -> Value {
        json!({
            "repositoryArn": self.arn,
            "registryId": registry,
            "repositoryName": self.name,
            "repositoryUri": self.uri,
            "createdAt": self.created.epoch_secs(),
            "imageTagMutability": self.mutability.setting,
            "imageScanningConfiguration": { "scanOnPush": self.scan_on_push },
            "encryptionConfiguration": { "encryptionType": "AES256" },
            "imageTagMutabilityExclusionFilters": self.mutability.exclusions(),
        })
    }
}
