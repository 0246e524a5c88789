//! A client of the daemon that shares nothing with it but HTTP.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[derive(Clone)]
pub(crate) struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    endpoint: SocketAddr,
}

impl Client {
    pub(crate) fn new(endpoint: SocketAddr) -> Self {
        Self { http: Http::builder(TokioExecutor::new()).build_http(), endpoint }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> (u16, Bytes) {
        let reply = self.http.request(request).await.unwrap();
        let status = reply.status().as_u16();
        (status, reply.into_body().collect().await.unwrap().to_bytes())
    }

    pub(crate) async fn get(&self, to: SocketAddr, path: &str) -> (u16, String) {
        let request = Request::get(format!("http://{to}{path}")).body(Full::default()).unwrap();
        let (status, body) = self.send(request).await;
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    pub(crate) async fn post(&self, to: SocketAddr, path: &str, body: &'static [u8]) -> (u16, Bytes) {
        let body = Full::new(Bytes::from_static(body));
        self.send(Request::post(format!("http://{to}{path}")).body(body).unwrap()).await
    }

    pub(crate) async fn post_with(&self, header: &str, value: &str, to: SocketAddr, path: &str) -> u16 {
        let request = Request::post(format!("http://{to}{path}")).header(header, value);
        self.send(request.body(Full::default()).unwrap()).await.0
    }

    pub(crate) async fn json(&self, target: &str, params: Value) -> Value {
        let request = Request::post(format!("http://{}/", self.endpoint))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .header("authorization", credential("any"));
        let (status, body) = self.send(request.body(Full::new(params.to_string().into())).unwrap()).await;
        assert_eq!(status, 200, "{target}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    pub(crate) async fn ecs(&self, operation: &str, params: Value) -> Value {
        self.json(&format!("AmazonEC2ContainerServiceV20141113.{operation}"), params).await
    }

    pub(crate) async fn query(&self, service: &str, form: &str) -> String {
        let request = Request::post(format!("http://{}/", self.endpoint))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", credential(service));
        let (status, body) = self.send(request.body(Full::new(form.to_owned().into())).unwrap()).await;
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, 200, "{form}: {body}");
        body
    }

    /// Pushes an image whose program is this test binary; gives its reference by digest.
    pub(crate) async fn push_self(&self, repository: &str) -> String {
        let reply = self.json("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", json!({})).await;
        let token = reply["authorizationData"][0]["authorizationToken"].as_str().unwrap().to_owned();
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let mut layer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(program.len() as u64);
        header.set_mode(0o755);
        layer.append_data(&mut header, "app", program.as_slice()).unwrap();
        let entry_point = ["/app", "--exact", "application::application", "--ignored", "--nocapture"];
        let config = json!({ "os": "linux", "architecture": architecture().0, "config": { "Entrypoint": entry_point, "User": "65532" } });
        let layer = self.push_blob(repository, &token, layer.into_inner().unwrap()).await;
        let config = self.push_blob(repository, &token, config.to_string().into_bytes()).await;
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer] });
        let manifest = manifest.to_string().into_bytes();
        let digest = sha256(&manifest);
        let path = format!("/v2/{repository}/manifests/{digest}");
        self.registry(Method::PUT, &token, &path, media_type, manifest).await;
        format!("{}/{repository}@{digest}", self.endpoint)
    }

    async fn push_blob(&self, repository: &str, token: &str, content: Vec<u8>) -> Value {
        let (digest, size) = (sha256(&content), content.len());
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        self.registry(Method::POST, token, &path, "application/octet-stream", content).await;
        json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size })
    }

    async fn registry(&self, method: Method, token: &str, path: &str, media_type: &str, content: Vec<u8>) {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.endpoint))
            .header("authorization", format!("Basic {token}"))
            .header("content-type", media_type);
        let (status, body) = self.send(request.body(Full::new(content.into())).unwrap()).await;
        assert_eq!(status, 201, "{path}: {}", String::from_utf8_lossy(&body));
    }
}

/// This machine's architecture as images name it, and as task definitions do.
pub(crate) fn architecture() -> (&'static str, &'static str) {
    if std::env::consts::ARCH == "aarch64" { ("arm64", "ARM64") } else { ("amd64", "X86_64") }
}

fn credential(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDTEST/20251009/ap-southeast-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=00"
    )
}

fn sha256(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Every text between two marks.
pub(crate) fn between_all(text: &str, open: &str, close: &str) -> Vec<String> {
    text.split(open)
        .skip(1)
        .filter_map(|rest| rest.split_once(close))
        .map(|(found, _)| found.to_owned())
        .collect()
}

/// Fit for a form.
pub(crate) fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
