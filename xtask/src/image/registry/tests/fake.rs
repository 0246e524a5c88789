//! A registry in memory, on the HTTP seam: ECR's manners, and faults that a test orders.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};

use crate::host::{Env, Host, Http, HttpError};
use crate::image::blob;

/// What happens to a request instead of, or besides, being answered.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It does not arrive.
    Lost(HttpError),
    /// It is carried out, and the answer does not arrive.
    ReplyLost,
    /// It is not carried out and answered with this.
    Answer(u16, &'static str, &'static str),
}

/// What the registry holds and how it behaves.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) blobs: BTreeMap<String, Bytes>,
    pub(super) manifests: BTreeMap<String, Bytes>,
    pub(super) tags: BTreeMap<String, String>,
    /// The repository is not there.
    pub(super) missing: bool,
    pub(super) immutable: bool,
    /// The expected Authorization header.
    pub(super) authorization: Option<String>,
    /// Answered as the `Location` of a new upload; `{}` is the session's number.
    pub(super) location: &'static str,
    /// What it says it stored, instead of the truth.
    pub(super) lies: bool,
    /// For the next requests whose `METHOD path` contains the text, in turn.
    pub(super) faults: VecDeque<(&'static str, Fault)>,
    /// `METHOD path` of each request that arrived.
    pub(super) log: Vec<String>,
    /// Hosts that were shown a credential.
    pub(super) trusted: BTreeSet<String>,
    sessions: u32,
    open: BTreeSet<String>,
}

/// The registry, to be shared with the test.
#[derive(Clone, Debug)]
pub(super) struct Fake(Arc<Mutex<State>>);

impl Fake {
    pub(super) fn new() -> Self {
        let state =
            State { location: "/v2/app/blobs/uploads/{}?state=s%2B{}", immutable: true, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn fault(&self, on: &'static str, fault: Fault) {
        self.state().faults.push_back((on, fault));
    }

    /// A machine whose every socket leads here.
    pub(super) fn host(&self) -> Host {
        Host::rehearsal(7, 0, Env::default(), Http::new(self.clone()))
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = request.try_into_http1x().unwrap();
        let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
        let answer = self.state().answer(&request);
        HttpConnectorFuture::new(async move {
            // A moment, so that requests that are under way together really are.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?;
            Ok(HttpResponse::try_from(answer.map(SdkBody::from)).unwrap())
        })
    }
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn problem(status: u16, code: &str, message: &str) -> Response<Bytes> {
    let body = serde_json::json!({"errors": [{"code": code, "message": message}]}).to_string();
    reply(status, &[("content-type", "application/json")], &body)
}

/// Of a manifest or an index.
fn media_type(content: &[u8]) -> &'static str {
    let content: serde_json::Value = serde_json::from_slice(content).unwrap();
    match content.get("manifests") {
        Some(_) => "application/vnd.oci.image.index.v1+json",
        None => "application/vnd.oci.image.manifest.v1+json",
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let named = format!("{} {}", request.method(), request.uri().path());
        self.log.push(named.clone());
        let header = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        if header.is_some() {
            self.trusted.insert(request.uri().host().unwrap().to_owned());
        }
        let fault = match self.faults.front() {
            Some((on, _)) if named.contains(on) => self.faults.pop_front().map(|(_, fault)| fault),
            _ => None,
        };
        match fault {
            Some(Fault::Lost(error)) => return Err(error),
            Some(Fault::Answer(status, content_type, body)) => {
                return Ok(reply(status, &[("content-type", content_type), ("retry-after", "1")], body));
            }
            Some(Fault::ReplyLost) => {
                self.carry_out(request);
                return Err(HttpError::Broken("connection reset".to_owned()));
            }
            None => {}
        }
        if header != self.authorization {
            return Ok(reply(401, &[("www-authenticate", "Basic realm=\"r\"")], "Not Authorized\n"));
        }
        Ok(self.carry_out(request))
    }

    fn carry_out(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        if self.missing {
            return match request.method().as_str() {
                "HEAD" => reply(404, &[], ""),
                _ => problem(404, "NAME_UNKNOWN", "The repository with name 'app' does not exist"),
            };
        }
        let path = request.uri().path().to_owned();
        let last = path.rsplit('/').next().unwrap().to_owned();
        match (request.method().as_str(), path.as_str()) {
            ("HEAD", path) if path.contains("/blobs/") => match self.blobs.contains_key(&last) {
                true => reply(200, &[], ""),
                false => reply(404, &[], ""),
            },
            ("HEAD", path) if path.contains("/manifests/") => {
                let digest = self.tags.get(&last).unwrap_or(&last);
                let accept = request.headers().get("accept").map(|value| value.to_str().unwrap());
                match self.manifests.get(digest) {
                    Some(content) if accept.unwrap_or_default().contains(media_type(content)) => {
                        reply(200, &[("docker-content-digest", digest)], "")
                    }
                    _ => reply(404, &[], ""),
                }
            }
            ("POST", "/v2/app/blobs/uploads/") => {
                self.sessions += 1;
                self.open.insert(self.sessions.to_string());
                let location = self.location.replace("{}", &self.sessions.to_string());
                reply(202, &[("location", &location)], "")
            }
            ("PUT", path) if path.contains("/uploads/") => self.close(&last, request),
            ("PUT", path) if path.contains("/manifests/") => self.put_manifest(&last, request.body()),
            _ => problem(405, "UNSUPPORTED", "no such operation"),
        }
    }

    fn close(&mut self, session: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let query = request.uri().query().unwrap_or_default();
        let parameters: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // The registry's own parameter has to come back as it was given.
        if !self.open.remove(session) || parameters.get("state") != Some(&format!("s+{session}")) {
            return problem(404, "BLOB_UPLOAD_UNKNOWN", "no such upload");
        }
        let digest = blob::digest(request.body());
        if parameters.get("digest") != Some(&digest) {
            return problem(400, "DIGEST_INVALID", "another digest");
        }
        self.blobs.insert(digest.clone(), request.body().clone());
        let claimed = if self.lies { "sha256:0" } else { &digest };
        reply(201, &[("docker-content-digest", claimed)], "")
    }

    fn put_manifest(&mut self, reference: &str, body: &Bytes) -> Response<Bytes> {
        let manifest: serde_json::Value = serde_json::from_slice(body).unwrap();
        let mut wanted = manifest["layers"].as_array().unwrap().clone();
        wanted.push(manifest["config"].clone());
        if !wanted.iter().all(|blob| self.blobs.contains_key(blob["digest"].as_str().unwrap())) {
            return problem(400, "MANIFEST_BLOB_UNKNOWN", "blobs are missing");
        }
        let digest = blob::digest(body);
        if !reference.starts_with("sha256:") {
            if self.immutable && self.tags.get(reference).is_some_and(|held| *held != digest) {
                let text = format!(
                    "The image tag '{reference}' already exists in the 'app' repository and cannot be overwritten because the tag is immutable."
                );
                return problem(400, "TAG_INVALID", &text);
            }
            self.tags.insert(reference.to_owned(), digest.clone());
        }
        self.manifests.insert(digest.clone(), body.clone());
        reply(201, &[("docker-content-digest", &digest)], "")
    }
}
