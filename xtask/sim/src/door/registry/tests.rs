//! Pushing and pulling through the data plane.

use http::header::ACCEPT;
use serde_json::Value;

use super::super::clock::SimClock;
use super::super::cloud::Delivery;
use super::super::tests::raw::call;
use super::*;
use crate::base::Settings;
use crate::door::cloud::Cloud;

const ECR: &str = "AmazonEC2ContainerRegistry_V20150921";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

struct Client {
    cloud: Cloud,
    authorization: String,
}

/// A client that has logged in to a registry with the repositories `shop/app` and `other`.
fn client() -> Client {
    let cloud = Cloud::new(Settings::default(), SimClock::virtual_time());
    for name in ["shop/app", "other"] {
        let repository = json!({ "repositoryName": name, "imageTagMutability": "IMMUTABLE" });
        call(&cloud, &format!("{ECR}.CreateRepository"), &repository);
    }
    let reply = call(&cloud, &format!("{ECR}.GetAuthorizationToken"), &json!({}));
    let token = reply["authorizationData"][0]["authorizationToken"].as_str().unwrap();
    Client { authorization: format!("Basic {token}"), cloud }
}

impl Client {
    fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(HeaderName, &str)],
        body: &[u8],
    ) -> Response<Bytes> {
        let mut request =
            http::Request::builder().method(method).uri(target).header(AUTHORIZATION, &self.authorization);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        match self.cloud.call(self.cloud.clock().millis(), &parts, body.to_vec().into()) {
            Delivery::Reply(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    fn status(&self, method: &str, target: &str, body: &[u8]) -> u16 {
        self.send(method, target, &[], body).status().as_u16()
    }

    fn code(&self, method: &str, target: &str, body: &[u8]) -> (u16, String) {
        let reply = self.send(method, target, &[], body);
        let said: Value = serde_json::from_slice(reply.body()).unwrap();
        (reply.status().as_u16(), said["errors"][0]["code"].as_str().unwrap().to_owned())
    }

    /// Begins an upload and gives its location.
    fn begin(&self, repository: &str) -> String {
        let reply = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], b"");
        assert_eq!(reply.status(), 202);
        reply.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    fn push_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = digest_of(content);
        let location = self.begin(repository);
        assert_eq!(
            self.status("PUT", &format!("{location}?digest={}", digest.replace(':', "%3A")), content),
            201
        );
        digest
    }

    fn manifest(&self, config: &str, layer: &str) -> Vec<u8> {
        let config =
            json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": config });
        let layer =
            json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "size": 5, "digest": layer });
        json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer] })
            .to_string()
            .into_bytes()
    }

    fn push_manifest(&self, repository: &str, reference: &str, manifest: &[u8]) -> Response<Bytes> {
        let target = format!("/v2/{repository}/manifests/{reference}");
        self.send("PUT", &target, &[(CONTENT_TYPE, MANIFEST)], manifest)
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_pushed_is_pulled_to_the_byte_by_tag_and_by_digest() {
    let client = client();
    let config = client.push_blob("shop/app", b"{}");
    let layer = client.push_blob("shop/app", b"layer");
    let manifest = client.manifest(&config, &layer);
    let digest = digest_of(&manifest);
    let pushed = client.push_manifest("shop/app", "v1", &manifest);
    assert_eq!(
        (pushed.status().as_u16(), pushed.headers()[DIGEST].to_str().unwrap()),
        (201, digest.as_str())
    );
    for reference in ["v1", &digest] {
        let pulled =
            client.send("GET", &format!("/v2/shop/app/manifests/{reference}"), &[(ACCEPT, MANIFEST)], b"");
        assert_eq!(pulled.body(), &manifest);
        assert_eq!(pulled.headers()[CONTENT_TYPE], MANIFEST);
        assert_eq!(pulled.headers()[DIGEST], digest.as_str());
    }
    let blob = client.send("GET", &format!("/v2/shop/app/blobs/{layer}"), &[], b"");
    assert_eq!(blob.body(), "layer".as_bytes());
    let head = client.send("HEAD", &format!("/v2/shop/app/blobs/{layer}"), &[], b"");
    assert_eq!((head.status().as_u16(), head.headers()[CONTENT_LENGTH].to_str().unwrap()), (200, "5"));
    assert!(head.body().is_empty());
    let tags = client.send("GET", "/v2/shop/app/tags/list", &[], b"");
    assert_eq!(
        serde_json::from_slice::<Value>(tags.body()).unwrap(),
        json!({ "name": "shop/app", "tags": ["v1"] })
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_in_without_the_password_of_a_token() {
    let mut client = client();
    assert_eq!(client.status("GET", "/v2/", b""), 200);
    for wrong in ["Basic QVdTOndyb25n", "Bearer x", "Basic !!!", "Basic", ""] {
        client.authorization = wrong.to_owned();
        let refused = client.send("GET", "/v2/", &[], b"");
        assert_eq!(refused.status(), 401, "{wrong}");
        assert!(refused.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic realm="));
        assert_eq!(client.code("POST", "/v2/other/blobs/uploads/", b""), (401, "UNAUTHORIZED".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_named_by_kind() {
    let client = client();
    let nothing = digest_of(b"nothing");
    for (method, target, status, code) in [
        ("GET", format!("/v2/other/blobs/{nothing}"), 404, "BLOB_UNKNOWN"),
        ("GET", "/v2/other/manifests/v1".to_owned(), 404, "MANIFEST_UNKNOWN"),
        ("GET", "/v2/absent/manifests/v1".to_owned(), 404, "NAME_UNKNOWN"),
        ("POST", "/v2/absent/blobs/uploads/".to_owned(), 404, "NAME_UNKNOWN"),
        ("PUT", format!("/v2/other/blobs/uploads/1?digest={nothing}"), 404, "BLOB_UPLOAD_UNKNOWN"),
        ("GET", "/v2/_catalog".to_owned(), 404, "UNSUPPORTED"),
        ("DELETE", format!("/v2/other/blobs/{nothing}"), 405, "UNSUPPORTED"),
    ] {
        assert_eq!(client.code(method, &target, b""), (status, code.to_owned()), "{method} {target}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_manifest_whose_blobs_never_arrived_is_refused_and_an_immutable_tag_stays() {
    let client = client();
    let config = client.push_blob("other", b"{}");
    let refused = client.push_manifest("other", "v1", &client.manifest(&config, &digest_of(b"never")));
    assert!(refused.status().is_client_error());
    let first = client.manifest(&config, &client.push_blob("other", b"layer"));
    assert_eq!(client.push_manifest("other", "v1", &first).status(), 201);
    assert_eq!(
        client.push_manifest("other", "v1", &first).status(),
        201,
        "a retried push of the same content"
    );
    let second = client.manifest(&config, &client.push_blob("other", b"other"));
    let refused = client.push_manifest("other", "v1", &second);
    let said: Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(
        (refused.status().as_u16(), &said["errors"][0]["code"]),
        (400, &json!("TAG_INVALID")),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn chunks_are_joined_in_order_and_a_gap_or_a_wrong_digest_is_refused() {
    let client = client();
    let location = client.begin("other");
    let chunk = |range: &str, body: &[u8]| client.send("PATCH", &location, &[(CONTENT_RANGE, range)], body);
    assert_eq!(chunk("0-2", b"lay").headers()[RANGE], "0-2");
    assert_eq!(chunk("7-8", b"xx").status(), 416);
    assert_eq!(chunk("3-4", b"er").headers()[RANGE], "0-4");
    assert_eq!(client.send("GET", &location, &[], b"").headers()[RANGE], "0-4");
    let digest = digest_of(b"layer");
    assert_eq!(client.status("PUT", &format!("{location}?digest={digest}"), b""), 201);
    assert_eq!(client.status("HEAD", &format!("/v2/other/blobs/{digest}"), b""), 200);

    let whole = format!("/v2/other/blobs/uploads/?digest={digest}");
    assert_eq!(client.status("POST", &whole, b"layer"), 201);
    assert_eq!(client.code("POST", &whole, b"lawyer"), (400, "DIGEST_INVALID".to_owned()));
    let abandoned = client.begin("other");
    assert_eq!(client.status("DELETE", &abandoned, b""), 204);
    assert_eq!(client.code("PATCH", &abandoned, b"x"), (404, "BLOB_UPLOAD_UNKNOWN".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_another_repository_has_is_mounted_and_not_sent_again() {
    let client = client();
    let digest = client.push_blob("other", b"layer");
    let mount = |digest: &str| format!("/v2/shop/app/blobs/uploads/?mount={digest}&from=other");
    assert_eq!(client.status("POST", &mount(&digest), b""), 201);
    assert_eq!(client.status("HEAD", &format!("/v2/shop/app/blobs/{digest}"), b""), 200);
    assert_eq!(client.status("POST", &mount(&digest_of(b"unknown")), b""), 202);
}

#[tokio::test(start_paused = true)]
async fn abandoned_uploads_are_forgotten_oldest_first() {
    let mut uploads = Uploads::default();
    for id in 0..100 {
        uploads.begin("r", &id.to_string());
    }
    assert!(uploads.length("r", "0").is_err());
    assert_eq!(uploads.length("r", "99").unwrap(), 0);
    assert!(uploads.length("other", "99").is_err(), "an upload belongs to its repository");
}

#[test]
fn a_manifest_is_deleted_and_what_refers_to_an_image_is_listed() {
    let client = client();
    let blob = b"{}";
    let digest = digest_of(blob);
    client.send("POST", &format!("/v2/shop/app/blobs/uploads/?digest={digest}"), &[], blob);
    let config = json!({ "mediaType": "application/vnd.example.signature", "digest": digest, "size": 2 });
    let image = json!({ "schemaVersion": 2, "config": config, "layers": [config] }).to_string();
    let put = client.send("PUT", "/v2/shop/app/manifests/1", &[(CONTENT_TYPE, MANIFEST)], image.as_bytes());
    assert!(!put.headers().contains_key(OCI_SUBJECT));
    let subject = digest_of(image.as_bytes());
    let signature = json!({ "schemaVersion": 2, "config": config, "layers": [],
        "subject": { "mediaType": MANIFEST, "digest": subject, "size": image.len() } })
    .to_string();
    let own = digest_of(signature.as_bytes());
    let target = format!("/v2/shop/app/manifests/{own}");
    let put = client.send("PUT", &target, &[(CONTENT_TYPE, MANIFEST)], signature.as_bytes());
    assert_eq!(put.headers()[OCI_SUBJECT].to_str().unwrap(), subject);
    let listed = |query: &str| -> Value {
        let reply = client.send("GET", &format!("/v2/shop/app/referrers/{subject}{query}"), &[], b"");
        serde_json::from_slice(reply.body()).unwrap()
    };
    assert_eq!(listed("")["manifests"][0]["digest"], own);
    assert_eq!(listed("?artifactType=application/vnd.example.signature")["manifests"][0]["digest"], own);
    assert_eq!(listed("?artifactType=other")["manifests"], json!([]));
    assert_eq!(client.status("DELETE", &target, b""), 202);
    assert_eq!(listed("")["manifests"], json!([]));
    assert_eq!(client.code("DELETE", &target, b""), (404, "MANIFEST_UNKNOWN".to_owned()));
    assert_eq!(client.status("DELETE", "/v2/shop/app/manifests/1", b""), 202);
    assert_eq!(
        client.status("GET", &format!("/v2/shop/app/manifests/{subject}"), b""),
        200,
        "only the tag is gone"
    );
}
