//! The binary as its container sees it: the proxy that plays Service Connect, the wish to go without
//! one, the probe.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// Far beyond what any step takes: it turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(20);

const BANDS: &str = "listening=6.5&reading=6.5&writing=5.0&speaking=7.0";

struct Running {
    child: Child,
    log: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Running {
    fn start(environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontend"));
        command
            .env_clear()
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut running = Self {
            child,
            log,
            address: String::new(),
        };
        running.address = running.logged("listening")["address"]
            .as_str()
            .unwrap()
            .to_owned();
        running
    }

    fn logged(&mut self, message: &str) -> Value {
        self.log
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .find(|line| line["message"] == message)
            .unwrap()
    }

    fn post_bands(&self) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{BANDS}",
            BANDS.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers one request as a right backend does; gives its address, and what was asked in small letters.
fn answer_once() -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut asked, mut buffer) = (String::new(), [0; 4096]);
        // The body's last byte is the only closing brace.
        while !asked.ends_with('}') {
            let count = stream.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "closed after {asked:?}");
            asked.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        let body = r#"{"overall":6.5,"mean":6.25}"#;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        asked.to_lowercase()
    });
    (address, asked)
}

#[test]
fn the_backends_name_is_left_to_the_proxy_with_its_credentials() {
    for variable in ["HTTP_PROXY", "http_proxy"] {
        let (proxy, asked) = answer_once();
        let url = format!("http://task:canary@{proxy}");
        let mut frontend = Running::start(&[(variable, &url)]);
        let page = frontend.post_bands();
        assert!(
            page.starts_with("HTTP/1.1 200 ") && page.contains(">6.5</output>"),
            "{page}"
        );
        let asked = asked.join().unwrap();
        let (line, rest) = asked.split_once("\r\n").unwrap();
        assert_eq!(
            line,
            "post http://backend.ielts.local:8080/api/bands/overall http/1.1"
        );
        assert!(
            rest.contains("host: backend.ielts.local:8080\r\n"),
            "{rest}"
        );
        // base64 of task:canary, in small letters as all that was asked.
        assert!(
            rest.contains("proxy-authorization: basic dgfzazpjyw5hcnk=\r\n"),
            "{rest}"
        );
        frontend.logged("request");
    }
}

#[test]
fn no_proxy_goes_straight_to_the_backend() {
    for (no_proxy, host) in [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost,.ielts.local", "localhost"),
    ] {
        let (backend, asked) = answer_once();
        let url = format!("http://{host}:{}", backend.port());
        // Nobody listens on the proxy's port: whoever goes there gets no page.
        let environment = [
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("NO_PROXY", no_proxy),
            ("BACKEND_URL", &url),
        ];
        let frontend = Running::start(&environment);
        assert!(
            frontend.post_bands().starts_with("HTTP/1.1 200 "),
            "{no_proxy}"
        );
        assert!(
            asked
                .join()
                .unwrap()
                .starts_with("post /api/bands/overall http/1.1\r\n"),
            "{no_proxy}"
        );
    }
}

#[test]
fn a_dead_proxy_is_named_without_its_password() {
    let mut frontend = Running::start(&[("HTTP_PROXY", "http://task:canary@127.0.0.1:1")]);
    assert!(frontend.post_bands().starts_with("HTTP/1.1 503 "));
    let warning = frontend.logged("the backend is not available");
    let why = warning["why"].as_str().unwrap();
    assert!(why.contains("refused") && !why.contains("canary"), "{why}");
}

#[test]
fn a_backend_url_of_another_kind_is_one_line_and_exit_code_2() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontend"));
    command
        .env_clear()
        .env("BACKEND_URL", "https://task:canary@backend.ielts.local");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.starts_with("frontend: BACKEND_URL: must begin with http://")
            && !said.contains("canary"),
        "{said}"
    );
}

#[test]
fn the_probe_knows_its_own_service_and_no_other() {
    let frontend = Running::start(&[]);
    let port = frontend.address.rsplit(':').next().unwrap();
    let probe = |port: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontend"));
        command
            .env_clear()
            .env("PORT", port)
            .arg("probe")
            .output()
            .unwrap()
    };
    assert!(probe(port).status.success());
    let (other, _) = answer_health_of_the_backend();
    let refused = probe(&other.port().to_string());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said.contains("answered by backend, not by frontend"),
        "{said}"
    );
}

fn answer_health_of_the_backend() -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answered = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).unwrap();
        stream
            .write_all(b"HTTP/1.0 200 OK\r\n\r\n{\"status\":\"UP\",\"service\":\"backend\"}")
            .unwrap();
    });
    (address, answered)
}
