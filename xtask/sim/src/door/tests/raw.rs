//! Raw calls for tests: HTTP as a client would send it, without a client.

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Value, json};

use super::super::cloud::{Cloud, Delivery};

/// The head of a JSON call; `target` is its `X-Amz-Target`.
pub(in crate::door) fn json_call(target: &str) -> Parts {
    let request = http::Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDTEST/20251009/ap-southeast-1/any/aws4_request, \
             SignedHeaders=host, Signature=00",
        );
    request.body(()).unwrap().into_parts().0
}

/// The head of a query call to `service`.
pub(in crate::door) fn query_call(service: &str) -> Parts {
    let request =
        http::Request::post("/").header("content-type", "application/x-www-form-urlencoded").header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDTEST/20251009/ap-southeast-1/{service}/aws4_request, \
                 SignedHeaders=host, Signature=00"
            ),
        );
    request.body(()).unwrap().into_parts().0
}

/// Makes a JSON call that has to succeed and gives its reply.
pub(in crate::door) fn call(cloud: &Cloud, target: &str, params: &Value) -> Value {
    let (status, body) = try_call(cloud, target, params);
    assert_eq!(status, 200, "{target}: {body}");
    serde_json::from_str(&body).unwrap_or(json!({}))
}

/// Makes a JSON call and gives its status and body.
pub(in crate::door) fn try_call(cloud: &Cloud, target: &str, params: &Value) -> (u16, String) {
    let body = Bytes::from(params.to_string());
    read(cloud.call(cloud.clock().millis(), &json_call(target), body))
}

/// The status and the body of a reply.
pub(in crate::door) fn read(delivery: Delivery) -> (u16, String) {
    match delivery {
        Delivery::Reply(reply) => {
            let status = reply.status().as_u16();
            (status, String::from_utf8_lossy(reply.body()).into_owned())
        }
        other => panic!("no reply: {other:?}"),
    }
}
