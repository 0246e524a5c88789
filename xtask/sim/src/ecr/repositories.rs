//! Repositories: create, describe, delete.

use serde::Deserialize;
use serde_json::{Value, json};

use super::State;
use super::error::{invalid, repository_not_found};
use super::mutability::MutabilityParams;
use super::store::Repository;
use crate::base::{Base, Millis, Tag, tags};
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

pub(super) fn create(base: &mut Base, ecr: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
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
    let registry = &base.settings.account;
    if ecr.repository_exists(&name) {
        let text =
            format!("The repository with name '{name}' already exists in the registry with id '{registry}'");
        return Err(ApiError::new("RepositoryAlreadyExistsException", text));
    }
    tags::check(Api::Ecr, &asked.tags)?;
    let repository = Repository {
        arn: base.arn("ecr", &format!("repository/{name}")),
        uri: format!("{}/{name}", base.settings.registry_host),
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
    base.tags.put(&repository.arn, asked.tags);
    ecr.repositories.insert(repository.name.clone(), repository);
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

pub(super) fn describe(base: &Base, ecr: &State, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let registry = &base.settings.account;
    let all = &ecr.repositories;
    let found: Vec<&Repository> = match asked.repository_names.as_slice() {
        [] => all.values().collect(),
        names => names
            .iter()
            .map(|name| {
                let own =
                    all.get(name).filter(|_| asked.registry_id.as_ref().is_none_or(|id| id == registry));
                own.ok_or_else(|| repository_not_found(base, name, asked.registry_id.as_deref()))
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

pub(super) fn delete(base: &mut Base, ecr: &mut State, request: &ApiRequest) -> Outcome {
    let Delete { force } = params(request)?;
    let registry = base.settings.account.clone();
    let repository = named(base, ecr, request)?;
    if !force && !repository.images.is_empty() {
        let text = format!(
            "The repository with name '{}' in registry with id '{registry}' cannot be deleted because it still contains images",
            repository.name
        );
        return Err(ApiError::new("RepositoryNotEmptyException", text));
    }
    let (name, arn) = (repository.name.clone(), repository.arn.clone());
    let description = repository.describe(&registry);
    ecr.repositories.remove(&name);
    base.tags.forget(&arn);
    Ok(json!({ "repository": description }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutScanning {
    image_scanning_configuration: Scanning,
}

pub(super) fn put_scanning(base: &Base, ecr: &mut State, request: &ApiRequest) -> Outcome {
    let asked: PutScanning = params(request)?;
    let registry = base.settings.account.clone();
    let repository = named_mut(base, ecr, request)?;
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
pub(super) fn named<'a>(
    base: &Base,
    ecr: &'a State,
    request: &ApiRequest,
) -> Result<&'a Repository, ApiError> {
    let Named { registry_id, repository_name: name } = params(request)?;
    let ours = registry_id.as_ref().is_none_or(|id| *id == base.settings.account);
    let found = ecr.repositories.get(&name).filter(|_| ours);
    found.ok_or_else(|| repository_not_found(base, &name, registry_id.as_deref()))
}

/// The ARN, where the repository exists.
pub(super) fn taggable(base: &Base, own: &State, arn: &str) -> Result<String, ApiError> {
    let name = arn.strip_prefix(&base.arn("ecr", "repository/"));
    let name = name.ok_or_else(|| invalid("resourceArn", "Invalid ARN"))?;
    let known = own.repositories.get(name);
    known.map(|own| own.arn.clone()).ok_or_else(|| repository_not_found(base, name, None))
}

/// The repository that a request names, to be changed.
pub(super) fn named_mut<'a>(
    base: &Base,
    ecr: &'a mut State,
    request: &ApiRequest,
) -> Result<&'a mut Repository, ApiError> {
    let name = named(base, ecr, request)?.name.clone();
    let missing = repository_not_found(base, &name, None);
    ecr.repositories.get_mut(&name).ok_or(missing)
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
