//! Health checks on the wall clock: a GET as the load balancer sends it, and what a container's own check runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{HeaderValue, Request};
use http_body_util::Empty;
use tokio::time::timeout;

use crate::door::forward;
use crate::workload::{Answer, Version};

/// Asks for `path` on a loopback port; the status is the answer, the body is not read. HTTP/2 and gRPC are not spoken
/// here: a target that listens passes.
pub(super) async fn target(port: u16, path: &str, version: Version, within: Duration) -> Answer {
    if version != Version::Http1 {
        let connected =
            timeout(within, forward::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))).await;
        return match connected {
            Ok(Ok(_)) => Answer::Connected,
            Ok(Err(_)) => Answer::Refused,
            Err(_) => Answer::TimedOut,
        };
    }
    let Ok(mut request) = Request::get(path).body(Empty::<Bytes>::new()) else { return Answer::Refused };
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static("ELB-HealthChecker/2.0"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Ok(host) = HeaderValue::from_str(&format!("127.0.0.1:{port}")) {
        headers.insert(HOST, host);
    }
    let asked = async {
        let stream = forward::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.ok()?;
        let reply = forward::send(stream, request).await.ok()?;
        Some(reply.status().as_u16())
    };
    match timeout(within, asked).await {
        Ok(Some(status)) => Answer::Status(status),
        Ok(None) => Answer::Refused,
        Err(_) => Answer::TimedOut,
    }
}

/// The words that `["CMD", …]` or `["CMD-SHELL", "…"]` runs in a container.
pub(super) fn words(command: &[String]) -> Option<Vec<String>> {
    match command.split_first()? {
        (kind, rest) if kind == "CMD" => Some(rest.to_vec()),
        // The image's shell, as in a container: an image from scratch has none, and fails the check.
        (kind, rest) if kind == "CMD-SHELL" => {
            Some(["/bin/sh", "-c"].into_iter().map(str::to_owned).chain(rest.iter().cloned()).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_check_that_is_not_answered_in_time_gives_its_socket_back() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for reply in ["", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"] {
            let silent = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4];
                stream.read_exact(&mut request).await.unwrap();
                stream.write_all(reply.as_bytes()).await.unwrap();
                // Until the other end is closed.
                timeout(Duration::from_secs(20), stream.read_to_end(&mut request)).await
            };
            let check = target(port, "/", Version::Http1, Duration::from_millis(100));
            let (answer, closed) = tokio::join!(check, silent);
            assert!(matches!(answer, Answer::TimedOut | Answer::Status(200)), "{answer:?}");
            closed.expect("the check's end is closed").unwrap();
        }
    }
}
