//! Judges the answer to a smoke check.

use serde_json::Value;

use crate::event::{Event, Kind, ProbeAnswer};
use crate::model::{Environment, ServiceKey, SmokeCheck};
use crate::redact;

/// How much of an unexpected body is shown.
const BODY_SHOWN: usize = 120;

/// Judges an answer by its status and body.
pub fn judge(check: &SmokeCheck, status: u16, body: &[u8]) -> ProbeAnswer {
    let text = String::from_utf8_lossy(body);
    if status != check.status {
        // An error page may repeat a header or a connection string, and what is shown goes to CI's log.
        let body = redact::text(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        let body = body.chars().take(BODY_SHOWN).collect();
        return ProbeAnswer::Status { status, body };
    }
    // A status alone proves little: behind `/*` a single-page application answers 200 with index.html for any path.
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let member = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    match &check.identity {
        Some(wanted) if member("service").as_ref() != Some(wanted) => {
            ProbeAnswer::WrongService { answered: member("service") }
        }
        _ => ProbeAnswer::Right { version: member("version") },
    }
}

/// The status and the body in what `get URL`, `curl -i` or `wget -S` printed; `None` when no server answered.
pub fn printed(output: &[u8]) -> Option<(u16, Vec<u8>)> {
    let text = String::from_utf8_lossy(output).replace("\r\n", "\n");
    let status = |line: &str| -> Option<u16> {
        let (version, rest) = line.trim_start().split_once(' ')?;
        let code = rest.split(' ').next()?;
        version.starts_with("HTTP/").then_some(code).filter(|code| code.len() == 3)?.parse().ok()
    };
    let mut lines = text.split_inclusive('\n');
    // The last one: a redirect that was followed has one before it.
    let mut found = None;
    let mut at = 0;
    for line in lines.by_ref() {
        at += line.len();
        found = status(line.trim_end()).map(|status| (status, at)).or(found);
    }
    let (status, at) = found?;
    let rest = &text[at..];
    // `wget` indents the head and puts no empty line after it.
    let indented = rest.split_inclusive('\n').take_while(|line| line.starts_with("  ")).map(str::len).sum();
    let body = match rest.split_once("\n\n") {
        _ if rest.starts_with('\n') => &rest[1..],
        _ if indented > 0 => rest[indented..].trim_start_matches('\n'),
        Some((_, body)) => body,
        None => "",
    };
    Some((status, body.as_bytes().to_vec()))
}

/// The result of a release's smoke checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Smoke {
    /// Every path was answered as it should be.
    Passed,
    /// There are none, or they are not sent from this machine.
    NotAsked,
    /// No path was answered wrongly, and at least one could not be asked from this machine.
    Unreachable { error: String },
    /// At least one path was answered wrongly, or took the request and gave no answer.
    Failed,
}

impl Smoke {
    /// Both together: what was not asked on one side is no matter when the other was.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::NotAsked, other) => other,
            (smoke, Self::NotAsked | Self::Passed) => smoke,
            (_, other) => other,
        }
    }
}

/// Judges the last answers of all paths. A wrong answer outweighs an unreachable load balancer: the first is the release's
/// fault, the second may be this machine's network.
pub fn conclude(answers: &[ProbeAnswer]) -> Smoke {
    let wrong =
        |answer: &ProbeAnswer| !matches!(answer, ProbeAnswer::Right { .. } | ProbeAnswer::Unreachable { .. });
    let unreachable = answers.iter().find_map(|answer| match answer {
        ProbeAnswer::Unreachable { error } => Some(error.clone()),
        _ => None,
    });
    match unreachable {
        // First, whatever else could not be asked: one wrong answer is enough to fail a release.
        _ if answers.iter().any(wrong) => Smoke::Failed,
        Some(error) => Smoke::Unreachable { error },
        None if answers.is_empty() => Smoke::NotAsked,
        None => Smoke::Passed,
    }
}

pub fn got(answer: &ProbeAnswer) -> String {
    match answer {
        ProbeAnswer::Right { version: Some(version) } => format!("ok, version {version}"),
        ProbeAnswer::Right { version: None } => "ok".to_owned(),
        ProbeAnswer::Status { status, body } if body.is_empty() => status.to_string(),
        ProbeAnswer::Status { status, body } => format!("{status}: {body}"),
        ProbeAnswer::WrongService { answered: Some(name) } => format!("an answer from {name}"),
        ProbeAnswer::WrongService { answered: None } => "an answer that names no service".to_owned(),
        ProbeAnswer::NoAnswer { error } => format!("no answer: {error}"),
        ProbeAnswer::Unreachable { error } => format!("no connection from this machine: {error}"),
    }
}

/// Whether neither time nor the listener's rules change a wrong name: the service that is asked has another one than its check
/// wants, or one that no service of the file has. Behind a load balancer that others use too the second may be theirs.
pub fn is_settled(environment: &Environment, service: &ServiceKey, answer: &ProbeAnswer) -> bool {
    let ProbeAnswer::WrongService { answered: Some(name) } = answer else { return false };
    *name == service.0 || !(environment.load_balancer.existing || is_known(environment, name))
}

/// Whether a service of the file answers by this name, or should.
fn is_known(environment: &Environment, name: &str) -> bool {
    let says = |check: &SmokeCheck| check.identity.as_deref() == Some(name);
    environment.services.iter().any(|service| service.key.0 == name || service.smoke.iter().any(says))
}

/// Whether asking again brings no other answer, once the listener's rules apply: what answers is up. An error of a server may pass,
/// and so may a refusal for the moment (408, 425, 429).
pub fn is_lasting(answer: &ProbeAnswer) -> bool {
    match answer {
        ProbeAnswer::WrongService { .. } => true,
        ProbeAnswer::Status { status, .. } => *status < 500 && ![408, 425, 429].contains(status),
        ProbeAnswer::Right { .. } | ProbeAnswer::NoAnswer { .. } | ProbeAnswer::Unreachable { .. } => false,
    }
}

/// What was expected, and what was answered.
pub fn beside(check: &SmokeCheck, answer: &ProbeAnswer) -> String {
    let from = check.identity.as_ref().map(|service| format!(" from {service}")).unwrap_or_default();
    format!("expected {}{from}, got {}", check.status, got(answer))
}

/// The smoke checks that failed, each once, as errors with what to do: the end of a screen is what people read.
pub fn faults(environment: &Environment, events: &[Event]) -> Vec<Kind> {
    let mut faults: Vec<Kind> = Vec::new();
    for event in events {
        let Kind::Probed { service, url, passed: false, check, answer, .. } = &event.kind else { continue };
        let Some(remedy) = remedy(environment, service, check, answer) else { continue };
        let error = format!("smoke check GET {url}: {}", beside(check, answer));
        let fault = Kind::Failed { error, hint: Some(remedy) };
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}

/// `None` for an answer that is right, and for a load balancer that is not reached: that is no fault of the release.
pub(super) fn remedy(
    environment: &Environment,
    service: &ServiceKey,
    check: &SmokeCheck,
    answer: &ProbeAnswer,
) -> Option<String> {
    let path = check.target();
    let wanted = check.identity.as_deref().unwrap_or("the service");
    Some(match answer {
        ProbeAnswer::Right { .. } | ProbeAnswer::Unreachable { .. } => return None,
        _ if let Some((from, _)) = check.inside() => format!(
            "see what answers: `cargo xtask exec {from}`, and there the URL; a client of Service Connect knows only the \
             endpoints that existed when it was deployed (`depends-on`)"
        ),
        ProbeAnswer::WrongService { answered: Some(name) } if *name == service.0 => format!(
            "{service} itself answered: write `identity = \"{service}\"` in the check, or let it answer as {wanted}"
        ),
        ProbeAnswer::WrongService { answered: Some(name) } if !is_known(environment, name) => {
            let others = match environment.load_balancer.existing {
                true => {
                    "; or another application behind the load balancer answers: see the rules of its listener"
                }
                false => "",
            };
            format!(
                "no service of deploy.toml is called {name}: let {wanted} answer {path} with `\"service\": \"{wanted}\"`, or write \
                 `identity = \"{name}\"` in the check{others}"
            )
        }
        ProbeAnswer::WrongService { answered: Some(_) } => format!(
            "the listener's rules send {path} to another service: give {wanted} a route for it (`routes`, or \
             `health-routes = true`), or correct `identity` of the check"
        ),
        ProbeAnswer::WrongService { answered: None } => format!(
            "let {wanted} answer {path} with JSON that has `\"service\": \"{wanted}\"`, or take `identity` out of the check"
        ),
        ProbeAnswer::Status { status: 404, .. } => {
            format!("let {wanted} serve {path}, or correct `path` of the check")
        }
        ProbeAnswer::Status { status: 401 | 403, .. } => {
            format!("let {wanted} answer {path} without credentials, or choose another `path` for the check")
        }
        // Statuses of the load balancer itself: 502 for a broken reply, 503 without targets, 504 for none in time.
        ProbeAnswer::Status { status: 502..=504, .. } => format!(
            "the load balancer has no task that answers {path}: see why in the service's log group, and its targets with \
             `cargo xtask status`"
        ),
        ProbeAnswer::Status { status: 500.., .. } | ProbeAnswer::NoAnswer { .. } => {
            format!("see in the service's log group what {wanted} printed for {path}")
        }
        ProbeAnswer::Status { .. } => {
            format!("correct what {wanted} answers to {path}, or `status` of the check")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ielts() -> Environment {
        let text = include_str!("../../tests/fixtures/ielts.toml");
        crate::config::load("deploy.toml", text, Some("prod")).unwrap().environment
    }

    fn probed(answer: ProbeAnswer) -> Event {
        let check =
            SmokeCheck { path: "/x".into(), identity: Some("backend".into()), ..SmokeCheck::default() };
        let (service, url) = (ServiceKey("backend".into()), "http://lb/x".to_owned());
        Event {
            seq: 0,
            at_ms: 0,
            kind: Kind::Probed { service, url, passed: false, check, answer, attempts: 9 },
        }
    }

    #[test]
    fn a_failed_check_is_reported_once_with_what_was_expected_what_came_and_what_to_do() {
        let status = |status| ProbeAnswer::Status { status, body: String::new() };
        let mut environment = ielts();
        let cases = [
            (
                ProbeAnswer::WrongService { answered: Some("other".into()) },
                "an answer from other",
                "no service of deploy.toml is called other: let backend answer /x with `\"service\": \"backend\"`, or write \
                 `identity = \"other\"` in the check",
            ),
            (
                ProbeAnswer::WrongService { answered: Some("frontend".into()) },
                "an answer from frontend",
                "give backend a route",
            ),
            (ProbeAnswer::WrongService { answered: None }, "names no service", "`\"service\": \"backend\"`"),
            (status(404), "404", "serve /x"),
            (status(503), "503", "no task that answers /x"),
            (status(500), "500", "log group"),
            (status(201), "201", "`status` of the check"),
            (ProbeAnswer::NoAnswer { error: "closed".into() }, "no answer: closed", "log group"),
        ];
        for (answer, came, remedy) in cases {
            let twice = [probed(answer.clone()), probed(answer)];
            let [Kind::Failed { error, hint: Some(hint) }] = &faults(&environment, &twice)[..] else {
                panic!()
            };
            assert!(
                error.starts_with("smoke check GET http://lb/x: expected 200 from backend, got "),
                "{error}"
            );
            assert!(error.contains(came) && hint.contains(remedy), "{error}: {hint}");
        }
        let key = ServiceKey("backend".into());
        let typo = SmokeCheck { identity: Some("nobody".into()), ..SmokeCheck::default() };
        let own = ProbeAnswer::WrongService { answered: Some("backend".into()) };
        let remedy = |environment: &Environment, answer: &ProbeAnswer| {
            super::remedy(environment, &key, &typo, answer).unwrap()
        };
        let other = ProbeAnswer::WrongService { answered: Some("other".into()) };
        assert!(!remedy(&environment, &other).contains("listener"));
        assert!(is_settled(&environment, &key, &own) && is_settled(&environment, &key, &other));
        environment.load_balancer.existing = true;
        assert!(remedy(&environment, &other).contains("rules of its listener"));
        assert!(is_settled(&environment, &key, &own) && !is_settled(&environment, &key, &other));
        let remedy = remedy(&environment, &own);
        assert!(remedy.contains("`identity = \"backend\"`") && !remedy.contains("route"), "{remedy}");
        assert_eq!(faults(&environment, &[probed(ProbeAnswer::Unreachable { error: "x".into() })]), []);
    }

    #[test]
    fn what_each_program_prints_of_an_answer_is_read_alike() {
        let body = r#"{"status":"UP","service":"backend"}"#;
        let curl = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{body}");
        let wget = format!("  HTTP/1.1 200 OK\n  content-type: application/json\n  \n{body}");
        let busybox =
            format!("Connecting to backend (127.0.0.1:80)\n  HTTP/1.1 200 OK\n  Connection: close\n\n{body}");
        let redirected = format!("HTTP/1.1 302 Found\nlocation: /\n\n{curl}");
        for text in [&curl, &wget, &busybox, &redirected] {
            assert_eq!(printed(text.as_bytes()), Some((200, body.as_bytes().to_vec())), "{text}");
        }
        assert_eq!(printed(b"HTTP/1.1 503 Unavailable\n\n"), Some((503, Vec::new())));
        for none in ["curl: (7) Failed to connect", "", "HTTP/1.1", "HTTP server at 200 x"] {
            assert_eq!(printed(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn what_only_a_change_can_mend_lasts_and_what_may_pass_does_not() {
        let status = |status| ProbeAnswer::Status { status, body: String::new() };
        for lasting in [301, 403, 404, 201].map(status) {
            assert!(is_lasting(&lasting), "{lasting:?}");
        }
        assert!(is_lasting(&ProbeAnswer::WrongService { answered: None }));
        for passing in [408, 425, 429, 500, 503].map(status) {
            assert!(!is_lasting(&passing), "{passing:?}");
        }
        for other in [
            ProbeAnswer::Right { version: None },
            ProbeAnswer::NoAnswer { error: String::new() },
            ProbeAnswer::Unreachable { error: String::new() },
        ] {
            assert!(!is_lasting(&other), "{other:?}");
        }
    }

    #[test]
    fn a_wrong_answer_outweighs_a_path_that_could_not_be_asked() {
        let right = ProbeAnswer::Right { version: None };
        let wrong = ProbeAnswer::Status { status: 503, body: String::new() };
        let silent = ProbeAnswer::NoAnswer { error: "no answer within 10s".into() };
        let unasked = ProbeAnswer::Unreachable { error: "connection refused".into() };
        let unreachable = Smoke::Unreachable { error: "connection refused".into() };
        for (answers, expected) in [
            (vec![], Smoke::NotAsked),
            (vec![&right, &right], Smoke::Passed),
            (vec![&unasked, &unasked], unreachable.clone()),
            (vec![&right, &unasked], unreachable),
            (vec![&unasked, &wrong], Smoke::Failed),
            (vec![&right, &silent], Smoke::Failed),
        ] {
            let answers: Vec<_> = answers.into_iter().cloned().collect();
            assert_eq!(conclude(&answers), expected, "{answers:?}");
        }
    }

    #[test]
    fn a_page_that_answers_200_to_everything_does_not_pass_for_the_backend() {
        let check = SmokeCheck {
            path: "/actuator/health".into(),
            identity: Some("backend".into()),
            ..SmokeCheck::default()
        };
        let cases: [(u16, &str, ProbeAnswer); 5] = [
            (
                200,
                r#"{"service":"backend","version":"1.2"}"#,
                ProbeAnswer::Right { version: Some("1.2".into()) },
            ),
            (200, "<html>welcome</html>", ProbeAnswer::WrongService { answered: None }),
            (
                200,
                r#"{"service":"frontend"}"#,
                ProbeAnswer::WrongService { answered: Some("frontend".into()) },
            ),
            (503, "no  targets", ProbeAnswer::Status { status: 503, body: "no targets".into() }),
            (500, "token=hunter2", ProbeAnswer::Status { status: 500, body: "token=***".into() }),
        ];
        for (status, body, expected) in cases {
            assert_eq!(judge(&check, status, body.as_bytes()), expected, "{status} {body}");
        }
    }
}
