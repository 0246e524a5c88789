//! Pages are compressed for whoever takes gzip.

use std::io::Read;
use std::time::Duration;

use axum::body::to_bytes;
use axum::http::header;
use tower::ServiceExt;

use super::{alone, frontend, get};

#[tokio::test]
async fn what_is_worth_it_is_compressed_for_those_who_take_it() {
    for (path, accepted, encoded) in [
        ("/", "br, gzip;q=0.5", true),
        ("/", "GZIP", true),
        ("/", "gzip;q=0", false),
        ("/", "br", false),
        ("/api/health", "gzip", false),
    ] {
        let mut request = get(path);
        request
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
        let reply = frontend("http://127.0.0.1:1", Duration::from_secs(5))
            .oneshot(request)
            .await
            .unwrap();
        let encoding = reply.headers().get(header::CONTENT_ENCODING).cloned();
        assert_eq!(
            encoding,
            encoded.then(|| "gzip".parse().unwrap()),
            "{path} {accepted}"
        );
        assert_eq!(reply.headers().contains_key(header::VARY), path == "/");
        let sent = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
        let plain = alone(get(path)).await.html;
        if encoded {
            let mut text = String::new();
            flate2::read::GzDecoder::new(&sent[..])
                .read_to_string(&mut text)
                .unwrap();
            assert!(text == plain && sent.len() * 2 < plain.len());
        } else {
            assert_eq!(sent, plain);
        }
    }
}
