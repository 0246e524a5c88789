//! `get URL`: asks another service from inside this container and prints its whole answer, as `curl -i` does.
//!
//! It is for a person, or a smoke check, that comes in by ECS Exec: an image from scratch has no curl. Like the service it
//! goes through `HTTP_PROXY`, by which the embedded cloud provides Service Connect.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::probe::MOST_BYTES;

/// For the connection, and for each piece of the answer.
const LIMIT: Duration = Duration::from_secs(5);

/// `http://[user[:password]@]host[:port][/path]`.
#[derive(Debug, PartialEq, Eq)]
struct Url<'a> {
    login: Option<&'a str>,
    host: &'a str,
    port: u16,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("http://")
            .ok_or("a URL begins with http://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, authority),
        };
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (
                host,
                port.parse()
                    .map_err(|_| format!("{port:?} is not a port"))?,
            ),
            _ => (address, 80),
        };
        if host.is_empty() || text.contains(char::is_whitespace) {
            return Err("a URL has a host, and no white space".to_owned());
        }
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self {
            login,
            host,
            port,
            path,
        })
    }
}

/// The answer: its head and its body.
///
/// # Errors
/// One line that says why there is none.
pub(crate) fn get(url: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<u8>, String> {
    let asked = Url::read(url).map_err(|why| format!("{url}: {why}"))?;
    let set = |name: &str| variable(name).or_else(|| variable(&name.to_lowercase()));
    let proxy = set("HTTP_PROXY").filter(|proxy| !proxy.is_empty());
    let proxy = proxy.filter(|_| !is_near(asked.host, &set("NO_PROXY").unwrap_or_default()));
    let answer = match &proxy {
        None => exchange(&asked, asked.path, asked.host, None),
        Some(proxy) => {
            let proxy = Url::read(proxy).map_err(|why| format!("HTTP_PROXY: {why}"))?;
            let login = proxy.login.map(|login| {
                let login = if login.contains(':') {
                    login.to_owned()
                } else {
                    format!("{login}:")
                };
                format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(login))
            });
            exchange(&proxy, url, asked.host, login.as_deref())
        }
    };
    answer.map_err(|error| format!("{url}: {error}"))
}

/// Whether no proxy is used for the host: it, or a domain that it is in, is in the list.
fn is_near(host: &str, list: &str) -> bool {
    list.split(',').map(str::trim).any(|near| {
        let domain = near.trim_start_matches('.');
        near == "*"
            || (!domain.is_empty()
                && host
                    .strip_suffix(domain)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    })
}

fn exchange(to: &Url<'_>, target: &str, host: &str, login: Option<&str>) -> io::Result<Vec<u8>> {
    let host_of = to.host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::other("the host name does not resolve");
    for address in (host_of, to.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, LIMIT) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(LIMIT))?;
                stream.set_write_timeout(Some(LIMIT))?;
                let login = login.unwrap_or_default();
                // HTTP/1.0: the end of the connection is the end of the answer, and its body comes in one piece.
                let request =
                    format!("GET {target} HTTP/1.0\r\nHost: {host}\r\nAccept: */*\r\n{login}\r\n");
                stream.write_all(request.as_bytes())?;
                let mut answer = Vec::new();
                stream.take(MOST_BYTES).read_to_end(&mut answer)?;
                return Ok(answer);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whether an answer is a 2xx.
pub(crate) fn is_success(answer: &[u8]) -> bool {
    let head = answer.strip_prefix(b"HTTP/1.");
    head.and_then(|rest| rest.get(1..3))
        .is_some_and(|code| code == b" 2")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn a_url_is_read_whole_or_refused() {
        let url = Url::read("http://t1@127.0.0.1:81/x?y=1").unwrap();
        assert_eq!(
            (url.login, url.host, url.port, url.path),
            (Some("t1"), "127.0.0.1", 81, "/x?y=1")
        );
        let url = Url::read("http://[::1]").unwrap();
        assert_eq!(
            (url.login, url.host, url.port, url.path),
            (None, "[::1]", 80, "/")
        );
        for wrong in ["https://x/", "x", "http://", "http://x:y/", "http://x/a b"] {
            assert!(Url::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_proxy_is_left_out_for_the_hosts_that_are_listed() {
        assert!(is_near("a.ielts.local", "localhost, .ielts.local") && is_near("x", "*"));
        assert!(is_near("127.0.0.1", "127.0.0.1,localhost"));
        assert!(
            !is_near("backend.ielts.local", "127.0.0.1,localhost")
                && !is_near("ab", "b")
                && !is_near("x", "")
        );
    }

    /// What a server that answers `answer` hears.
    fn heard(
        url: impl Fn(u16) -> String,
        variable: impl Fn(u16) -> Option<String>,
    ) -> (String, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nbody").unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let proxy = variable(port);
        let answer = get(&url(port), &|name| {
            proxy.clone().filter(|_| name == "HTTP_PROXY")
        })
        .unwrap();
        (server.join().unwrap(), answer)
    }

    #[test]
    fn the_service_is_asked_itself_or_through_the_proxy_by_name() {
        let (request, answer) = heard(|port| format!("http://127.0.0.1:{port}/x"), |_| None);
        assert!(
            request.starts_with("GET /x HTTP/1.0\r\nHost: 127.0.0.1\r\n"),
            "{request}"
        );
        assert!(answer.ends_with(b"body") && is_success(&answer) && !is_success(b"HTTP/1.1 503 x"));
        let proxy = |port| Some(format!("http://task7@127.0.0.1:{port}"));
        let (request, _) = heard(|_| "http://backend.ielts.local:8080/x".to_owned(), proxy);
        assert!(
            request.starts_with("GET http://backend.ielts.local:8080/x HTTP/1.0\r\n"),
            "{request}"
        );
        assert!(
            request.contains("Proxy-Authorization: Basic dGFzazc6\r\n"),
            "{request}"
        );
    }
}
