//! `probe`: asks the service in the same container for its health, as the container health check does.
//!
//! HTTP/1.0 over one plain connection to the own port. It knows no proxy, no redirect and no chunked body, and needs
//! none: an image from scratch has no curl, and what answers is this same binary.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Less than the 5 s after which ECS gives up on a container health check by default, so that the reason is still printed.
pub(crate) const LIMIT: Duration = Duration::from_secs(3);

/// A health body is some hundred bytes; whatever sends more is not this service.
pub(crate) const MOST_BYTES: u64 = 64 * 1024;

/// The address that reaches a listener on `bound` from the same network namespace.
pub(crate) fn target(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

/// Succeeds when `service` itself answers at `address` with a 2xx and `"status":"UP"`.
///
/// # Errors
/// One line that says what came instead.
pub(crate) fn probe(
    address: SocketAddr,
    path: &str,
    service: &str,
    limit: Duration,
) -> Result<(), String> {
    let url = format!("http://{address}{path}");
    let answer = exchange(address, path, limit).map_err(|error| format!("{url}: {error}"))?;
    judge(&answer, service).map_err(|why| format!("{url}: {why}"))
}

fn exchange(address: SocketAddr, path: &str, limit: Duration) -> io::Result<Vec<u8>> {
    let end = Instant::now() + limit;
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_write_timeout(Some(limit))?;
    // In one write: a peer that answers and closes after the first packet must not turn the rest into an error.
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer within {limit:?}"),
            ));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(answer),
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            // A read timeout is WouldBlock on Unix; the check above words it.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
        if answer.len() as u64 > MOST_BYTES {
            return Err(io::Error::other(format!("more than {MOST_BYTES} bytes")));
        }
    }
}

fn judge(answer: &[u8], service: &str) -> Result<(), String> {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or("not an HTTP answer")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let status: u16 = head
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or("not an HTTP answer")?;
    let body = serde_json::from_slice::<Value>(&answer[end + 4..])
        .map_err(|error| format!("HTTP {status}, and a body that is not JSON: {error}"))?;
    let health = body["status"].as_str().unwrap_or("missing");
    let answered = body["service"]
        .as_str()
        .unwrap_or("something that does not say its name");
    let wrong = |what: &dyn Display| Err(format!("HTTP {status}, {what}"));
    if answered != service {
        wrong(&format_args!("answered by {answered}, not by {service}"))
    } else if !(200..300).contains(&status) || health != "UP" {
        wrong(&format_args!("status {health}"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_of_our_own_that_is_up_passes() {
        for (answer, verdict) in [
            (
                "HTTP/1.1 200 OK\r\na: b\r\n\r\n{\"status\":\"UP\",\"service\":\"backend\"}",
                Ok(()),
            ),
            ("HTTP/1.0 204 No Content\r\n\r\n", Err("not JSON")),
            (
                "HTTP/1.1 503 X\r\n\r\n{\"status\":\"OUT_OF_SERVICE\",\"service\":\"backend\"}",
                Err("HTTP 503, status OUT_OF_SERVICE"),
            ),
            (
                "HTTP/1.1 503 X\r\n\r\n{\"status\":\"UP\",\"service\":\"backend\"}",
                Err("HTTP 503, status UP"),
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"DOWN\",\"service\":\"backend\"}",
                Err("HTTP 200, status DOWN"),
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\n{\"service\":\"backend\"}",
                Err("status missing"),
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"UP\",\"service\":\"frontend\"}",
                Err("answered by frontend, not by backend"),
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"UP\"}",
                Err("does not say its name"),
            ),
            ("HTTP/1.1 200 OK\r\n\r\n<html>", Err("not JSON")),
            ("HTTP/1.1 200 OK\r\n", Err("not an HTTP answer")),
            ("SSH-2.0-OpenSSH\r\n\r\n", Err("not an HTTP answer")),
            ("", Err("not an HTTP answer")),
        ] {
            match (judge(answer.as_bytes(), "backend"), verdict) {
                (Ok(()), Ok(())) => {}
                (Err(why), Err(part)) => assert!(why.contains(part), "{answer:?} gave {why:?}"),
                (got, wanted) => panic!("{answer:?} gave {got:?}, not {wanted:?}"),
            }
        }
    }

    #[test]
    fn every_interface_is_reached_over_loopback() {
        for (bound, reached) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.1:9", "127.0.0.1:9"),
            ("10.0.1.5:80", "10.0.1.5:80"),
        ] {
            assert_eq!(target(bound.parse().unwrap()).to_string(), reached);
        }
    }

    #[test]
    fn a_port_that_nobody_listens_on_is_a_message_and_no_panic() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let why = probe(address, "/x", "backend", LIMIT).unwrap_err();
        assert!(why.contains("/x") && why.contains("refused"), "{why}");
    }

    #[test]
    fn a_service_that_accepts_and_says_nothing_does_not_hang_the_probe() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let why = probe(address, "/x", "backend", Duration::from_millis(50)).unwrap_err();
        assert!(why.contains("no answer within 50ms"), "{why}");
    }
}
