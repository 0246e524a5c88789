//! Judges the answer to a smoke check.

use serde_json::Value;

use crate::event::ProbeAnswer;
use crate::model::SmokeCheck;
use crate::redact;

/// How much of an unexpected body is shown.
const BODY_SHOWN: usize = 120;

/// What an answer with this status and body means for the check.
#[must_use]
pub fn judge(check: &SmokeCheck, status: u16, body: &[u8]) -> ProbeAnswer {
    let text = String::from_utf8_lossy(body);
    if status != check.status {
        let body = redact::text(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        let body = body.chars().take(BODY_SHOWN).collect();
        return ProbeAnswer::Status { status, body };
    }
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let member = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    match &check.identity {
        Some(wanted) if member("service").as_ref() != Some(wanted) => {
            ProbeAnswer::WrongService { answered: member("service") }
        }
        _ => ProbeAnswer::Right { version: member("version") },
    }
}

/// What the smoke checks of a release came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Smoke {
    /// Every path was answered as it should be.
    Passed,
    /// There was nothing to ask, or nobody is to ask from here.
    NotAsked,
    /// No path was answered wrongly, and at least one could not be asked from this machine.
    Unreachable {
        /// Why.
        error: String,
    },
    /// At least one path was answered wrongly, or took the request and gave no answer.
    Failed,
}

/// Judges the last answers of all paths. A wrong answer outweighs what could not be asked: the release is at fault for
/// the first, and the way from this machine to the load balancer for the second.
#[must_use]
pub fn conclude(answers: &[ProbeAnswer]) -> Smoke {
    let wrong =
        |answer: &ProbeAnswer| !matches!(answer, ProbeAnswer::Right { .. } | ProbeAnswer::Unreachable { .. });
    let unreachable = answers.iter().find_map(|answer| match answer {
        ProbeAnswer::Unreachable { error } => Some(error.clone()),
        _ => None,
    });
    match unreachable {
        _ if answers.iter().any(wrong) => Smoke::Failed,
        Some(error) => Smoke::Unreachable { error },
        None if answers.is_empty() => Smoke::NotAsked,
        None => Smoke::Passed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let check =
            SmokeCheck { path: "/actuator/health".into(), status: 200, identity: Some("backend".into()) };
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
