//! The binary as its container sees it: environment, standard output, signals, exit codes, probe.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Far beyond what any step takes: it turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(20);

const BANDS: &str = r#"{"listening":6.5,"reading":6.5,"writing":5.0,"speaking":7.0}"#;

fn backend(environment: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backend"));
    command
        .env_clear()
        .env("HOST", "127.0.0.1")
        .envs(environment.iter().copied())
        .args(arguments);
    command
}

struct Running {
    child: Child,
    log: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Running {
    /// On a free port, which the first log line names.
    fn start(environment: &[(&str, &str)]) -> Self {
        let mut command = backend(environment, &[]);
        let mut child = command
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&log.next().unwrap().unwrap()).unwrap();
        assert_eq!(
            (first["message"].as_str(), first["service"].as_str()),
            (Some("listening"), Some("backend"))
        );
        let address = first["address"].as_str().unwrap().to_owned();
        Self {
            child,
            log,
            address,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The next log line with this message.
    fn logged(&mut self, message: &str) -> Value {
        self.log
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .find(|line| {
                line["message"]
                    .as_str()
                    .is_some_and(|logged| logged.starts_with(message))
            })
            .unwrap()
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails where the test has waited for the end already, which is what most do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request whose body is not all there yet: in flight for as long as the test likes.
fn begin(stream: &mut TcpStream) {
    let head = format!(
        "POST /api/bands/overall HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        BANDS.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&BANDS.as_bytes()[..10]).unwrap();
}

fn end(stream: &mut TcpStream) -> String {
    stream.write_all(&BANDS.as_bytes()[10..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn sigterm_finishes_what_is_in_flight_and_says_out_of_service_meanwhile() {
    let mut backend = Running::start(&[]);
    let mut request = backend.connect();
    begin(&mut request);
    // Answered after the request above was taken in: one thread serves in order of arrival.
    assert!(
        backend
            .get("/actuator/health/readiness")
            .contains(r#""status":"UP""#)
    );
    backend.signal(Signal::TERM);
    assert_eq!(backend.logged("draining")["in_flight"], 1);

    let readiness = backend.get("/actuator/health/readiness");
    assert!(
        readiness.starts_with("HTTP/1.1 503 ") && readiness.contains("OUT_OF_SERVICE"),
        "{readiness}"
    );
    let liveness = backend.get("/actuator/health/liveness");
    assert!(liveness.starts_with("HTTP/1.1 200 "), "{liveness}");

    let answer = end(&mut request);
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""overall":6.5"#),
        "{answer}"
    );
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    assert_eq!(backend.exit_code(), Some(0));
    backend.logged("stopped");
    assert!(TcpStream::connect(&backend.address).is_err());
}

#[test]
fn an_idle_connection_does_not_hold_the_exit() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut backend = Running::start(&[]);
        let mut idle = backend.connect();
        idle.write_all(b"GET /api/skills HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut byte = [0];
        idle.read_exact(&mut byte).unwrap();
        backend.signal(signal);
        assert_eq!(backend.exit_code(), Some(0));
    }
}

#[test]
fn a_request_that_never_ends_does_not_outlive_the_grace_time() {
    let mut backend = Running::start(&[("SHUTDOWN_GRACE_SECONDS", "1")]);
    let mut request = backend.connect();
    begin(&mut request);
    backend.get("/api/skills");
    backend.signal(Signal::TERM);
    assert_eq!(backend.exit_code(), Some(0));
    let last = backend.logged("stopped with connections open: the grace time is over");
    assert_eq!(
        (last["level"].as_str(), last["in_flight"].as_u64()),
        (Some("WARN"), Some(1))
    );
}

#[test]
fn a_second_signal_ends_the_wait() {
    let mut backend = Running::start(&[]);
    let mut request = backend.connect();
    begin(&mut request);
    backend.get("/api/skills");
    backend.signal(Signal::INT);
    backend.logged("draining");
    backend.signal(Signal::INT);
    assert_eq!(backend.exit_code(), Some(0));
    backend.logged("stopped with connections open: a second signal");
}

#[test]
fn health_checks_are_logged_at_debug_alone_and_queries_never() {
    for (level, checks) in [("info", 0), ("debug", 1)] {
        let mut backend = Running::start(&[("LOG_LEVEL", level)]);
        backend.get("/actuator/health?canary");
        backend.get("/api/skills?canary");
        let port = backend.address.rsplit(':').next().unwrap().to_owned();
        let probed = self::backend(&[("PORT", &port)], &["probe"])
            .output()
            .unwrap();
        assert_eq!(outcome(&probed), (Some(0), String::new()));
        backend.signal(Signal::TERM);
        assert_eq!(backend.exit_code(), Some(0));
        let lines: Vec<String> = backend.log.by_ref().map(Result::unwrap).collect();
        let of = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
        assert_eq!(
            (
                of(r#""path":"/actuator/health""#),
                of(r#""path":"/api/skills""#)
            ),
            (checks, 1),
            "{lines:#?}"
        );
        assert_eq!(of("canary"), 0);
        let request: Value = serde_json::from_str(
            lines
                .iter()
                .find(|line| line.contains("/api/skills"))
                .unwrap(),
        )
        .unwrap();
        assert_eq!(
            (&request["method"], &request["status"]),
            (&"GET".into(), &200.into())
        );
        assert!(
            request["latency_ms"].is_number() && request["timestamp"].is_string(),
            "{request}"
        );
    }
}

#[test]
fn what_cannot_be_used_is_one_line_and_exit_code_2() {
    for (environment, arguments, part) in [
        (
            ("PORT", "http"),
            [].as_slice(),
            r#"PORT="http": must be a port number"#,
        ),
        (
            ("PORT", "http"),
            &["probe"],
            r#"PORT="http": must be a port number"#,
        ),
        (
            ("HOST", "localhost"),
            &[],
            r#"HOST="localhost": must be an IP address"#,
        ),
        (("PORT", "0"), &["serve"], r#"unknown arguments ["serve"]"#),
        (("PORT", "0"), &["probe", "now"], "unknown arguments"),
    ] {
        let (code, said) = outcome(&backend(&[environment], arguments).output().unwrap());
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.starts_with("backend: ") && said.contains(part) && said.lines().count() == 1,
            "{said}"
        );
    }
}

#[test]
fn a_taken_port_is_one_line_and_exit_code_1() {
    let running = Running::start(&[]);
    let port = running.address.rsplit(':').next().unwrap();
    let (code, said) = outcome(&backend(&[("PORT", port)], &[]).output().unwrap());
    assert_eq!(code, Some(1));
    assert!(
        said.contains("cannot listen on 127.0.0.1:") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn a_probe_of_nobody_fails_with_a_reason_and_ignores_proxies() {
    let running = Running::start(&[]);
    let proxy = format!("http://{}", running.address);
    let (code, said) = outcome(
        &backend(&[("PORT", "1"), ("HTTP_PROXY", &proxy)], &["probe"])
            .output()
            .unwrap(),
    );
    assert_eq!(code, Some(1));
    assert!(
        said.contains("http://127.0.0.1:1/actuator/health/liveness: ") && said.contains("refused"),
        "{said}"
    );
}

#[test]
fn help_and_version_are_printed_on_standard_output() {
    for (argument, part) in [
        ("--version", concat!("backend ", env!("CARGO_PKG_VERSION"))),
        ("--help", "APP_COMMIT"),
    ] {
        let output = backend(&[], &[argument]).output().unwrap();
        assert!(
            output.status.success() && String::from_utf8(output.stdout).unwrap().contains(part)
        );
    }
}

/// Exit code and standard error.
fn outcome(output: &Output) -> (Option<i32>, String) {
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
