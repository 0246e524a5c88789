//! Amazon ECR: repositories, and access to the registry. Layers and manifests go through the registry itself.

use std::collections::BTreeMap;

use aws_sdk_ecr::config::Region;
use aws_sdk_ecr::operation::create_repository::CreateRepositoryOutput;
use aws_sdk_ecr::operation::get_authorization_token::GetAuthorizationTokenOutput;
use aws_sdk_ecr::types::{Image as FoundImage, ImageIdentifier, ImageTagMutability, Repository, Tag};
use deploy::model::spec::RepositorySpec;
use deploy::model::{ImageDigest, Platform};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::call::Op;
use super::error::{found, gone};
use super::names::millis;
use super::{Aws, Error, Kind, Tags};
use crate::host::Secret;

const DESCRIBE: Op = Op::read("ecr", "DescribeRepositories");
const CREATE: Op = Op::write("ecr", "CreateRepository");
const GET_LIFECYCLE: Op = Op::read("ecr", "GetLifecyclePolicy");
/// Patient about a repository that was created a moment ago.
const PUT_LIFECYCLE: Op = Op::write("ecr", "PutLifecyclePolicy").patient(&["RepositoryNotFoundException"]);
const DELETE_LIFECYCLE: Op = Op::write("ecr", "DeleteLifecyclePolicy");
const MUTABILITY: Op = Op::write("ecr", "PutImageTagMutability");
const TOKEN: Op = Op::read("ecr", "GetAuthorizationToken");
const IMAGES: Op = Op::read("ecr", "BatchGetImage");
const DESCRIBE_IMAGES: Op = Op::read("ecr", "DescribeImages");

/// How many images one BatchGetImage takes, and how many names one DescribeRepositories.
const BATCH: usize = 100;
/// All forms of a manifest, so that none is converted for the answer.
const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// A repository as it was found; its lifecycle policy is read by [`Aws::get_keep_images`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRepository {
    pub name: String,
    /// `<registry>/<name>`.
    pub uri: String,
    /// Whether a tag can be pushed once only.
    pub immutable_tags: bool,
}

/// Access to the registry, for twelve hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryLogin {
    pub proxy_endpoint: String,
    /// The value of the `Authorization` header, `Basic …`.
    pub authorization: Secret,
    /// Until when, in milliseconds since the Unix epoch; 0 when the endpoint does not say.
    pub expires_ms: u64,
}

impl Aws {
    /// The repositories of these names that exist.
    pub async fn find_repositories(&self, names: &[&str]) -> Result<Vec<FoundRepository>, Error> {
        let some = async |names: &[&str]| match self.describe_repositories(names).await {
            // One unknown name makes the whole call fail with RepositoryNotFoundException.
            Err(error) if matches!(error.kind, Kind::NotFound) => self.find_each(names).await,
            found => found,
        };
        Ok(try_join_all(names.chunks(BATCH).map(some)).await?.concat())
    }

    /// Each by itself: a list of all takes a right on every repository of the account.
    async fn find_each(&self, names: &[&str]) -> Result<Vec<FoundRepository>, Error> {
        let one = async |name: &&str| found(self.describe_repositories(&[name]).await);
        Ok(try_join_all(names.iter().map(one)).await?.into_iter().flatten().flatten().collect())
    }

    async fn describe_repositories(&self, names: &[&str]) -> Result<Vec<FoundRepository>, Error> {
        let wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let call = || self.ecr.describe_repositories().set_repository_names(Some(wanted.clone())).send();
        let reply = self.call(DESCRIBE, call).await?;
        Ok(reply.repositories.unwrap_or_default().into_iter().map(read).collect())
    }

    /// Creates a repository, without its lifecycle policy; one that exists stays as it is. Returns its URI.
    pub async fn create_repository(&self, spec: &RepositorySpec, tags: &Tags) -> Result<String, Error> {
        let tags: Vec<Tag> = tags
            .iter()
            .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
            .collect();
        let call = || {
            self.ecr
                .create_repository()
                .repository_name(&spec.name)
                .image_tag_mutability(mutability(spec))
                .set_tags((!tags.is_empty()).then(|| tags.clone()))
                .send()
        };
        let made = |reply: CreateRepositoryOutput| reply.repository.map(read).ok_or("repository".to_owned());
        let made = match self.call_for(CREATE, call, made).await {
            Err(error) if matches!(error.kind, Kind::AlreadyExists) => {
                self.find_repositories(&[&spec.name]).await?.into_iter().next().ok_or(error)
            }
            made => made,
        };
        made.map(|repository| repository.uri)
    }

    /// Changes whether a tag can be pushed once only.
    pub async fn put_image_tag_mutability(&self, spec: &RepositorySpec) -> Result<(), Error> {
        let call = || {
            let call = self.ecr.put_image_tag_mutability().repository_name(&spec.name);
            call.image_tag_mutability(mutability(spec)).send()
        };
        self.call(MUTABILITY, call).await.map(drop)
    }

    /// How many images the lifecycle policy keeps; `None` when there is none, or one of another shape.
    pub async fn get_keep_images(&self, name: &str) -> Result<Option<u32>, Error> {
        let call = || self.ecr.get_lifecycle_policy().repository_name(name).send();
        let reply = found(self.call(GET_LIFECYCLE, call).await)?;
        Ok(reply.and_then(|reply| keep_images(&reply.lifecycle_policy_text?)))
    }

    /// Sets the lifecycle policy: the newest images stay. A spec that keeps all images has no policy.
    pub async fn put_lifecycle_policy(&self, spec: &RepositorySpec) -> Result<(), Error> {
        let name = &spec.name;
        let Some(keep) = spec.keep_images else {
            let call = || self.ecr.delete_lifecycle_policy().repository_name(name).send();
            return self.call(DELETE_LIFECYCLE, call).await.map(drop).or_else(gone);
        };
        let policy = lifecycle_policy(keep);
        let call =
            || self.ecr.put_lifecycle_policy().repository_name(name).lifecycle_policy_text(&policy).send();
        self.call(PUT_LIFECYCLE, call).await.map(drop)
    }

    /// Access to the registry; to all of another region, where one is given.
    pub async fn registry_login(&self, region: Option<&str>) -> Result<RegistryLogin, Error> {
        let login = |reply: GetAuthorizationTokenOutput| {
            let data = reply.authorization_data.unwrap_or_default().into_iter().next();
            let data = data.ok_or("authorizationData")?;
            let token = data.authorization_token().ok_or("authorizationToken")?;
            Ok(RegistryLogin {
                proxy_endpoint: data.proxy_endpoint().ok_or("proxyEndpoint")?.to_owned(),
                authorization: Secret::new(format!("Basic {token}")),
                expires_ms: millis(data.expires_at()),
            })
        };
        let region = region.map(|region| Region::new(region.to_owned()));
        // Of the region that is asked, in whatever account: an image may come from another one.
        let region = region.or_else(|| self.ecr.config().region().cloned());
        let there = || {
            let mut there = aws_sdk_ecr::config::Builder::new();
            there.set_region(region.clone());
            there
        };
        let call = || self.ecr.get_authorization_token().customize().config_override(there()).send();
        self.call_for(TOKEN, call, login).await
    }

    /// Which of these images a repository holds.
    ///
    /// # Errors
    /// [`Kind::NotFound`] without the repository; when AWS refuses.
    pub async fn find_images(
        &self,
        repository: &str,
        digests: &[ImageDigest],
    ) -> Result<Vec<ImageDigest>, Error> {
        let mut found = Vec::new();
        for digests in digests.chunks(BATCH) {
            let ids: Vec<_> = digests
                .iter()
                .map(|digest| ImageIdentifier::builder().image_digest(&digest.0).build())
                .collect();
            let images = self.batch_get_images(repository, &ids).await?;
            let digest = |image: FoundImage| image.image_id?.image_digest.map(ImageDigest);
            found.extend(images.into_iter().filter_map(digest));
        }
        Ok(found)
    }

    /// BatchGetImage, not DescribeImages: it lists a missing image under `failures`, where the other raises
    /// ImageNotFoundException for the whole call.
    async fn batch_get_images(
        &self,
        repository: &str,
        ids: &[ImageIdentifier],
    ) -> Result<Vec<FoundImage>, Error> {
        let call = || {
            self.ecr
                .batch_get_image()
                .repository_name(repository)
                .set_image_ids(Some(ids.to_vec()))
                .set_accepted_media_types(Some(MANIFESTS.map(str::to_owned).to_vec()))
                .send()
        };
        Ok(self.call(IMAGES, call).await?.images.unwrap_or_default())
    }

    /// The images that these tags name, at most a hundred of them; none without the repository.
    pub async fn find_tagged(
        &self,
        repository: &str,
        tags: &[String],
    ) -> Result<BTreeMap<String, ImageDigest>, Error> {
        let ids: Vec<_> = tags.iter().map(|tag| ImageIdentifier::builder().image_tag(tag).build()).collect();
        let images = found(self.batch_get_images(repository, &ids).await)?.unwrap_or_default();
        let named = |image: FoundImage| {
            let id = image.image_id?;
            Some((id.image_tag?, ImageDigest(id.image_digest?)))
        };
        Ok(images.into_iter().filter_map(named).collect())
    }

    /// How many images of a repository are newer than this one, by their pushes; `None` when it is not there. Another
    /// tag is no push (aws/containers-roadmap#2746).
    ///
    /// # Errors
    /// [`Kind::NotFound`] without the repository; when AWS refuses.
    pub async fn pushed_since(&self, repository: &str, digest: &ImageDigest) -> Result<Option<usize>, Error> {
        let page = |next| {
            let call = self.ecr.describe_images().repository_name(repository).max_results(1000);
            call.set_next_token(next).send()
        };
        let found =
            self.pages(DESCRIBE_IMAGES, page, |reply| (reply.image_details, reply.next_token)).await?;
        let pushed = found.into_iter().map(|it| (it.image_digest, millis(it.image_pushed_at.as_ref())));
        let pushed: BTreeMap<_, _> = pushed.collect();
        let own = pushed.get(&Some(digest.0.clone()));
        Ok(own.map(|own| pushed.values().filter(|other| *other > own).count()))
    }

    /// The images that an index lists, each with its platform; none of an image that is no index, or is not there.
    ///
    /// # Errors
    /// [`Kind::NotFound`] without the repository; when AWS refuses.
    pub async fn index_members(
        &self,
        repository: &str,
        index: &ImageDigest,
    ) -> Result<Vec<(Platform, ImageDigest)>, Error> {
        let call = || {
            self.ecr
                .batch_get_image()
                .repository_name(repository)
                .image_ids(ImageIdentifier::builder().image_digest(&index.0).build())
                .set_accepted_media_types(Some(MANIFESTS.map(str::to_owned).to_vec()))
                .send()
        };
        let images = self.call(IMAGES, call).await?.images.unwrap_or_default();
        Ok(images.iter().filter_map(|image| image.image_manifest()).flat_map(members).collect())
    }
}

/// The `manifests` of an index (image-spec v1.1, "Image Index"), or of Docker's manifest list.
fn members(manifest: &str) -> Vec<(Platform, ImageDigest)> {
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    let entries = manifest["manifests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let member = |entry: &Value| {
        let of = |name: &str| Some(entry["platform"][name].as_str()?.to_owned());
        let platform = Platform { os: of("os")?, architecture: of("architecture")? };
        Some((platform, ImageDigest(entry["digest"].as_str()?.to_owned())))
    };
    entries.iter().filter_map(member).collect()
}

fn mutability(spec: &RepositorySpec) -> ImageTagMutability {
    if spec.immutable_tags { ImageTagMutability::Immutable } else { ImageTagMutability::Mutable }
}

fn read(found: Repository) -> FoundRepository {
    FoundRepository {
        name: found.repository_name.unwrap_or_default(),
        uri: found.repository_uri.unwrap_or_default(),
        immutable_tags: found.image_tag_mutability == Some(ImageTagMutability::Immutable),
    }
}

/// One rule for all images: expire the oldest beyond `keep`.
fn lifecycle_policy(keep: u32) -> String {
    let rule = json!({
        "rulePriority": 1,
        "description": format!("keep the newest {keep} images"),
        // Untagged ones too: the images that an index lists have no tag, and must not be kept for ever without it.
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": keep},
        "action": {"type": "expire"},
    });
    json!({"rules": [rule]}).to_string()
}

/// The number in a policy of the shape of [`lifecycle_policy`].
fn keep_images(policy: &str) -> Option<u32> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    // A policy of several rules is somebody's own: there is no single number in it.
    let [rule] = policy.get("rules")?.as_array()?.as_slice() else { return None };
    let selection = rule.get("selection")?;
    let ours = selection.get("tagStatus")? == "any"
        && selection.get("countType")? == "imageCountMoreThan"
        && rule.get("action")?.get("type")? == "expire";
    let keep = selection.get("countNumber")?.as_u64().and_then(|keep| u32::try_from(keep).ok())?;
    ours.then_some(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifecycle_policy_of_our_shape_is_read_back_and_another_is_not_taken_for_it() {
        assert_eq!(keep_images(&lifecycle_policy(30)), Some(30));
        let by_age = lifecycle_policy(30).replace("imageCountMoreThan", "sinceImagePushed");
        let untagged = lifecycle_policy(30).replace("\"any\"", "\"untagged\"");
        let two = format!(r#"{{"rules":[{},{}]}}"#, r#"{"a":1}"#, r#"{"b":2}"#);
        for policy in [by_age.as_str(), &untagged, &two, "{}", "not json", r#"{"rules":[{}]}"#] {
            assert_eq!(keep_images(policy), None, "{policy}");
        }
    }

    #[test]
    fn a_registry_password_is_not_in_debug_output() {
        let login = RegistryLogin {
            proxy_endpoint: "https://registry".into(),
            authorization: Secret::new("Basic QVdTOmh1bnRlcjI="),
            expires_ms: 0,
        };
        let shown = format!("{login:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("QVdT"), "{shown}");
    }
}
