//! Health checks on the wall clock: a GET as the load balancer sends it, and a container's own command.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{HeaderValue, Request};
use http_body_util::Empty;
use rustix::process::{Signal, kill_process_group};
use tokio::time::timeout;

use super::leftovers::group;
use super::program::Program;
use crate::door::forward;
use crate::workload::Answer;

/// Asks for `path` on a loopback port; the status is the answer, the body is not read.
pub(super) async fn target(port: u16, path: &str, within: Duration) -> Answer {
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

/// Runs `command` (`["CMD", …]` or `["CMD-SHELL", "…"]`) in a container; healthy is an exit code of 0 in time.
pub(super) async fn container(program: &Program, command: &[String], within: Duration) -> bool {
    let words = match command.split_first() {
        Some((kind, rest)) if kind == "CMD" => rest.to_vec(),
        // The image's shell, as in a container: an image from scratch has none, and fails the check.
        Some((kind, rest)) if kind == "CMD-SHELL" => {
            ["/bin/sh", "-c"].into_iter().map(str::to_owned).chain(rest.iter().cloned()).collect()
        }
        _ => return false,
    };
    let Ok(check) = program.running(&words) else { return false };
    if check.format_error().is_some() {
        return false;
    }
    let Ok(mut child) = check.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        return false;
    };
    let started = child.id();
    match timeout(within, child.wait()).await {
        Ok(ended) => ended.is_ok_and(|status| status.success()),
        Err(_) => {
            if let Some(group) = started.and_then(group) {
                // The check may have ended in the meantime.
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = child.wait().await;
            false
        }
    }
}
