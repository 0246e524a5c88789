//! A request to the registry, taken apart: repository names contain slashes, so a path is read from its end.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};

#[derive(Debug)]
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) resource: Resource,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    operation: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Base,
    Blob { repository: String, digest: String },
    Manifest { repository: String, reference: String },
    Referrers { repository: String, digest: String },
    Tags { repository: String },
    Uploads { repository: String },
    Upload { repository: String, id: String },
    Unknown,
}

impl Request {
    /// The request, if it is one to the registry.
    pub(crate) fn of(parts: &Parts, body: &Bytes) -> Option<Self> {
        let path = parts.uri.path();
        (path == "/v2" || path.starts_with("/v2/")).then(|| {
            let resource = Resource::of(path);
            let query = parts.uri.query().unwrap_or_default().as_bytes();
            Self {
                operation: format!("{} {}", parts.method, resource.kind()),
                method: parts.method.clone(),
                resource,
                query: form_urlencoded::parse(query).into_owned().collect(),
                headers: parts.headers.clone(),
                body: body.clone(),
            }
        })
    }

    /// The method and the kind of resource, as the record of calls names it.
    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }
}

impl Resource {
    fn of(path: &str) -> Self {
        let rest = path.strip_prefix("/v2").unwrap_or(path).trim_start_matches('/');
        if rest.is_empty() {
            return Self::Base;
        }
        let split = |separator: &str| {
            // From the end: a repository's name may hold slashes, and these words too.
            rest.rsplit_once(separator)
                .filter(|(repository, _)| !repository.is_empty())
                .map(|(repository, last)| (repository.to_owned(), last.to_owned()))
        };
        if let Some((repository, id)) = split("/blobs/uploads/") {
            return if id.is_empty() {
                Self::Uploads { repository }
            } else {
                Self::Upload { repository, id }
            };
        }
        if let Some(repository) = rest.strip_suffix("/blobs/uploads") {
            return Self::Uploads { repository: repository.to_owned() };
        }
        if let Some((repository, digest)) = split("/blobs/") {
            return Self::Blob { repository, digest };
        }
        if let Some((repository, reference)) = split("/manifests/") {
            return Self::Manifest { repository, reference };
        }
        if let Some((repository, digest)) = split("/referrers/") {
            return Self::Referrers { repository, digest };
        }
        match rest.strip_suffix("/tags/list") {
            Some(repository) => Self::Tags { repository: repository.to_owned() },
            None => Self::Unknown,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Blob { .. } => "blobs",
            Self::Manifest { .. } => "manifests",
            Self::Referrers { .. } => "referrers",
            Self::Tags { .. } => "tags",
            Self::Uploads { .. } | Self::Upload { .. } => "uploads",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn repository(&self) -> Option<&str> {
        match self {
            Self::Base | Self::Unknown => None,
            Self::Blob { repository, .. }
            | Self::Manifest { repository, .. }
            | Self::Referrers { repository, .. }
            | Self::Tags { repository }
            | Self::Uploads { repository }
            | Self::Upload { repository, .. } => Some(repository),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_name_with_slashes_is_not_mistaken_for_a_path() {
        let blob = |repository: &str, digest: &str| Resource::Blob {
            repository: repository.into(),
            digest: digest.into(),
        };
        for (path, resource) in [
            ("/v2/", Resource::Base),
            ("/v2", Resource::Base),
            ("/v2/a/b/blobs/sha256:00", blob("a/b", "sha256:00")),
            ("/v2/blobs/blobs/sha256:00", blob("blobs", "sha256:00")),
            ("/v2/a/blobs/uploads/", Resource::Uploads { repository: "a".into() }),
            ("/v2/a/blobs/uploads", Resource::Uploads { repository: "a".into() }),
            ("/v2/a/blobs/uploads/7-7", Resource::Upload { repository: "a".into(), id: "7-7".into() }),
            ("/v2/a/manifests/v1", Resource::Manifest { repository: "a".into(), reference: "v1".into() }),
            ("/v2/a/b/tags/list", Resource::Tags { repository: "a/b".into() }),
            ("/v2/_catalog", Resource::Unknown),
            ("/v2/blobs/sha256:00", Resource::Unknown),
        ] {
            assert_eq!(Resource::of(path), resource, "{path}");
        }
    }
}
