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

#[cfg(test)]
mod tests {
    use super::*;

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
