//! The registry's data plane: the OCI distribution protocol over the account's repositories, as ECR serves it.
//!
//! Basic authentication with the password of an authorization token; a repository must exist before anything is
//! pushed to it; digests are verified on the way in. Answers are functions of the account: no socket here. It does
//! not list repositories, serve ranges or delete blobs, which ECR does not do either.

mod request;
#[cfg(test)]
mod tests;
mod uploads;

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, LOCATION, RANGE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::json;

pub(super) use request::Request;
use request::Resource;
pub(super) use uploads::Uploads;

use crate::account::Account;
use crate::clock::Millis;
use crate::ecr::{RegistryError, digest_of};
use crate::wire::{Api, ApiRequest};

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

type Reply = Result<Response<Bytes>, RegistryError>;

/// Answers one request to `/v2/…`.
pub(super) fn answer(
    account: &mut Account,
    uploads: &mut Uploads,
    now: Millis,
    request: Request,
) -> Response<Bytes> {
    let method = request.method.clone();
    let realm = format!(
        "Basic realm=\"http://{}/\",service=\"ecr.amazonaws.com\"",
        account.base.settings.registry_host
    );
    let mut reply = route(account, uploads, now, request).unwrap_or_else(refused);
    if reply.status() == StatusCode::UNAUTHORIZED {
        set(&mut reply, WWW_AUTHENTICATE, &realm);
    }
    reply.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    if method == Method::HEAD {
        // The length of what GET would send has to survive the loss of the body.
        let length = HeaderValue::from(reply.body().len());
        reply.headers_mut().insert(CONTENT_LENGTH, length);
        *reply.body_mut() = Bytes::new();
    }
    reply
}

fn route(account: &mut Account, uploads: &mut Uploads, now: Millis, request: Request) -> Reply {
    authenticate(account, now, &request.headers)?;
    let Request { method, resource, headers, body, query, .. } = request;
    let read = method == Method::GET || method == Method::HEAD;
    if let Some(repository) = resource.repository()
        && !account.ecr.repository_exists(repository)
    {
        let message = format!(
            "The repository with name '{repository}' does not exist in the registry with id '{}'",
            account.base.settings.account
        );
        return Err(refusal(404, "NAME_UNKNOWN", &message));
    }
    match resource {
        Resource::Base if read => Ok(json_reply(StatusCode::OK, &json!({}))),
        Resource::Blob { repository, digest } if read => match account.ecr.blob(&repository, &digest) {
            Some(content) => Ok(content_reply(content, "application/octet-stream", &digest)),
            None => Err(refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")),
        },
        Resource::Manifest { repository, reference } if read => {
            match account.ecr.manifest(&repository, &reference) {
                Some((digest, media_type, content)) => Ok(content_reply(content, &media_type, &digest)),
                None => Err(refusal(404, "MANIFEST_UNKNOWN", "Requested image not found")),
            }
        }
        Resource::Manifest { repository, reference } if method == Method::PUT => {
            let media_type = text(&headers, &CONTENT_TYPE)
                .unwrap_or("application/vnd.docker.distribution.manifest.v2+json");
            let digest = account.ecr.put_manifest(now, &repository, &reference, media_type, body)?;
            let mut reply = created(&format!("/v2/{repository}/manifests/{digest}"), &digest);
            // Without it a client keeps the fallback tag of registries that have no referrers.
            if let Some(subject) = account.ecr.subject(&repository, &digest) {
                set(&mut reply, OCI_SUBJECT, &subject);
            }
            Ok(reply)
        }
        Resource::Manifest { repository, reference } if method == Method::DELETE => {
            account.ecr.delete_manifest(&repository, &reference)?;
            Ok(with_status(StatusCode::ACCEPTED, Bytes::new()))
        }
        Resource::Referrers { repository, digest } if read => {
            let wanted = query.get("artifactType").map(String::as_str);
            let index = account.ecr.referrers(&repository, &digest, wanted);
            let mut reply = json_reply(StatusCode::OK, &index);
            set(&mut reply, CONTENT_TYPE, "application/vnd.oci.image.index.v1+json");
            if wanted.is_some() {
                reply.headers_mut().insert("oci-filters-applied", HeaderValue::from_static("artifactType"));
            }
            Ok(reply)
        }
        Resource::Tags { repository } if read => Ok(tags(account, now, &repository)),
        Resource::Uploads { repository } if method == Method::POST => {
            begin(account, uploads, &repository, &query, body)
        }
        Resource::Upload { repository, id } => {
            let location = format!("/v2/{repository}/blobs/uploads/{id}");
            if method == Method::PATCH {
                let length = uploads.append(&repository, &id, text(&headers, &CONTENT_RANGE), &body)?;
                Ok(accepted(StatusCode::ACCEPTED, &location, &id, length))
            } else if method == Method::PUT {
                let Some(digest) = query.get("digest") else {
                    return Err(refusal(400, "DIGEST_INVALID", "no digest was given"));
                };
                uploads.append(&repository, &id, text(&headers, &CONTENT_RANGE), &body)?;
                let content = uploads.take(&repository, &id)?;
                store(account, &repository, digest, content)
            } else if method == Method::GET {
                let length = uploads.length(&repository, &id)?;
                Ok(accepted(StatusCode::NO_CONTENT, &location, &id, length))
            } else if method == Method::DELETE {
                uploads.take(&repository, &id)?;
                Ok(with_status(StatusCode::NO_CONTENT, Bytes::new()))
            } else {
                Err(unsupported())
            }
        }
        Resource::Unknown => Err(refusal(404, "UNSUPPORTED", "no such resource")),
        _ => Err(unsupported()),
    }
}

/// Starts an upload, unless the blob comes whole (`digest=`) or is known to another repository (`mount=`, `from=`).
fn begin(
    account: &mut Account,
    uploads: &mut Uploads,
    repository: &str,
    query: &BTreeMap<String, String>,
    body: Bytes,
) -> Reply {
    if let (Some(digest), Some(from)) = (query.get("mount"), query.get("from"))
        && let Some(content) = account.ecr.blob(from, digest)
    {
        account.ecr.put_blob(repository, digest, content)?;
        return Ok(created(&format!("/v2/{repository}/blobs/{digest}"), digest));
    }
    if let Some(digest) = query.get("digest") {
        return store(account, repository, digest, body);
    }
    let id = account.base.ids.uuid();
    uploads.begin(repository, &id);
    Ok(accepted(StatusCode::ACCEPTED, &format!("/v2/{repository}/blobs/uploads/{id}"), &id, 0))
}

fn store(account: &mut Account, repository: &str, digest: &str, content: Bytes) -> Reply {
    let found = digest_of(&content);
    if found != digest {
        let message = format!("provided digest did not match uploaded content: {found}");
        return Err(refusal(400, "DIGEST_INVALID", &message));
    }
    account.ecr.put_blob(repository, digest, content)?;
    Ok(created(&format!("/v2/{repository}/blobs/{digest}"), digest))
}

pub(super) fn authenticate(account: &Account, now: Millis, headers: &HeaderMap) -> Result<(), RegistryError> {
    let basic = text(headers, &AUTHORIZATION).and_then(|value| {
        let (scheme, credentials) = value.split_once(' ')?;
        let decoded = scheme
            .eq_ignore_ascii_case("basic")
            .then(|| BASE64_STANDARD.decode(credentials.trim()).ok())??;
        let decoded = String::from_utf8(decoded).ok()?;
        decoded.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    });
    if basic.is_some_and(|(user, password)| account.ecr.check_password(now, &user, &password)) {
        return Ok(());
    }
    Err(refusal(401, "UNAUTHORIZED", "Not Authorized"))
}

/// All tags, read through the API so that both planes list the same.
fn tags(account: &mut Account, now: Millis, repository: &str) -> Response<Bytes> {
    let mut tags = Vec::new();
    let mut token = None;
    loop {
        let mut params = json!({ "repositoryName": repository, "filter": { "tagStatus": "TAGGED" } });
        if let Some(token) = token.take() {
            params["nextToken"] = token;
        }
        let request = ApiRequest {
            api: Api::Ecr,
            operation: "ListImages".to_owned(),
            params,
            access_key: None,
            region: None,
        };
        let Ok(page) = account.handle(now, &request) else {
            break;
        };
        let ids = page["imageIds"].as_array().cloned().unwrap_or_default();
        tags.extend(ids.iter().filter_map(|id| id["imageTag"].as_str().map(str::to_owned)));
        match &page["nextToken"] {
            next if next.is_string() => token = Some(next.clone()),
            _ => break,
        }
    }
    tags.sort();
    json_reply(StatusCode::OK, &json!({ "name": repository, "tags": tags }))
}

/// An error in the registry's shape (OCI distribution, "Error Codes").
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    json_reply(status, &json!({ "errors": [{ "code": code, "message": message }] }))
}

fn refusal(status: u16, code: &'static str, message: &str) -> RegistryError {
    RegistryError { status, code, message: message.to_owned() }
}

fn refused(refusal: RegistryError) -> Response<Bytes> {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    error(status, refusal.code, &refusal.message)
}

fn unsupported() -> RegistryError {
    refusal(405, "UNSUPPORTED", "The operation is unsupported.")
}

fn with_status(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply
}

fn json_reply(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut reply = with_status(status, Bytes::from(body.to_string()));
    set(&mut reply, CONTENT_TYPE, "application/json; charset=utf-8");
    reply
}

fn content_reply(content: Bytes, media_type: &str, digest: &str) -> Response<Bytes> {
    let mut reply = Response::new(content);
    set(&mut reply, CONTENT_TYPE, media_type);
    set(&mut reply, DIGEST, digest);
    reply
}

fn created(location: &str, digest: &str) -> Response<Bytes> {
    let mut reply = with_status(StatusCode::CREATED, Bytes::new());
    set(&mut reply, LOCATION, location);
    set(&mut reply, DIGEST, digest);
    reply
}

/// The state of an upload that holds `length` bytes.
fn accepted(status: StatusCode, location: &str, id: &str, length: usize) -> Response<Bytes> {
    let mut reply = with_status(status, Bytes::new());
    set(&mut reply, LOCATION, location);
    set(&mut reply, UPLOAD_UUID, id);
    set(&mut reply, RANGE, &format!("0-{}", length.saturating_sub(1)));
    reply
}

fn set(reply: &mut Response<Bytes>, name: HeaderName, value: &str) {
    // What a caller sent (a digest, a media type) has been through a header or a URI once; what cannot go back into
    // one is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
