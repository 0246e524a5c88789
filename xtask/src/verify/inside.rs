//! Smoke checks from inside: asked in a task by ECS Exec, where the caller may. They prove Service Connect, which nobody
//! outside of the cluster can reach.

use std::time::Duration;

use deploy::event::{Kind, ProbeAnswer};
use deploy::model::{Environment, Service, ServiceKey, SmokeCheck};
use deploy::verify::{Smoke, conclude, judge, printed};
use futures_util::future::join_all;

use crate::aws::{self, Aws};
use crate::exec::{self, Ended, Error, Wanted};
use crate::host::Host;
use crate::report::Recorder;

/// A session takes some seconds to come about, and the request as long as one through the load balancer.
const LIMIT: Duration = Duration::from_secs(45);
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(3);
/// `curl` in most images, `wget` in those with busybox.
const SCRIPT: &str = r#"if command -v curl >/dev/null; then exec curl -sS -i --max-time 8 "$0"; fi; exec wget -S -q -T 8 -O - "$0""#;
/// What a shell reports of a program that is not there.
const NOT_FOUND: u8 = 127;

/// Asks all checks from inside at the same time. One that cannot be asked is a warning: it says nothing about the release.
pub async fn inside(host: &Host, aws: &Aws, events: &Recorder, environment: &Environment) -> Smoke {
    let checks = environment.services.iter().flat_map(|service| {
        let checks = service.smoke.iter();
        checks.filter_map(|check| Some((&service.key, check, check.inside()?)))
    });
    let probes =
        checks.map(|(service, check, asked)| probe(host, aws, events, environment, service, check, asked));
    let answers: Vec<_> = join_all(probes).await.into_iter().flatten().collect();
    conclude(&answers)
}

async fn probe(
    host: &Host,
    aws: &Aws,
    events: &Recorder,
    environment: &Environment,
    service: &ServiceKey,
    check: &SmokeCheck,
    (from, url): (&ServiceKey, &str),
) -> Option<ProbeAnswer> {
    let deadline = host.clock.mark().after(Duration::from_secs(environment.timeouts.smoke_secs));
    let (mut attempts, mut wrong) = (0, None);
    loop {
        attempts += 1;
        let asking = ask(host, aws, environment, from, url, check);
        let late = || Err(format!("no answer within {LIMIT:?}"));
        let answer = match tokio::time::timeout(LIMIT, asking).await.unwrap_or_else(|_| late()) {
            Ok(answer) => answer,
            // A wrong answer is not taken back by a request that was not asked after it: that may be the reason why.
            Err(_) if wrong.is_some() => wrong.take()?,
            Err(why) => {
                let text = format!("smoke check GET {url} was not asked from a task of {from}: {why}");
                events.emit(Kind::Warned { text });
                return None;
            }
        };
        let passed = matches!(answer, ProbeAnswer::Right { .. });
        wrong = Some(answer.clone()).filter(|_| !passed);
        if passed || deadline.remaining().is_zero() {
            let (service, check, last) = (service.clone(), check.clone(), answer.clone());
            events.emit(Kind::Probed { service, url: url.to_owned(), passed, check, answer, attempts });
            return Some(last);
        }
        host.clock.sleep(ASK_AGAIN_AFTER.min(deadline.remaining())).await;
    }
}

/// The error says why the check could not be asked.
async fn ask(
    host: &Host,
    aws: &Aws,
    environment: &Environment,
    from: &ServiceKey,
    url: &str,
    check: &SmokeCheck,
) -> Result<ProbeAnswer, String> {
    let asking = environment.service(from).ok_or("deploy.toml has no such service")?;
    let wanted = Wanted { service: asking, task: None, container: None };
    let target = exec::find(aws, environment, wanted).await.map_err(|error| error.to_string())?;
    let (command, is_bare) = command(environment, asking, url);
    let (ended, output) = match exec::capture(host, aws, &target, &command, is_bare).await {
        Err(Error::Refused(error)) if matches!(error.kind, aws::Kind::AccessDenied { .. }) => {
            return Err("the caller may not ecs:ExecuteCommand".to_owned());
        }
        other => other.map_err(|error| error.to_string())?,
    };
    if let Some((status, body)) = printed(&output) {
        return Ok(judge(check, status, &body));
    }
    let words = String::from_utf8_lossy(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    match ended {
        Ended::NotStarted(why) => Err(format!("its image cannot: {why}")),
        Ended::Code(NOT_FOUND) => Err("its image has neither curl nor wget".to_owned()),
        Ended::Interrupted => Err("interrupted".to_owned()),
        // Nobody knows how it ended: what does not speak of the URL is a program that has no `get`.
        Ended::Unknown(_) if !words.is_empty() && !words.contains(url) => {
            Err(format!("its image cannot: {words}"))
        }
        Ended::Unknown(why) if words.is_empty() => Err(why),
        Ended::Code(_) | Ended::Unknown(_) => {
            Ok(ProbeAnswer::NoAnswer { error: deploy::redact::text(&words) })
        }
    }
}

/// What asks, and whether the image certainly has no shell: one of a package holds its binary and nothing else.
fn command(environment: &Environment, asking: &Service, url: &str) -> (Vec<String>, bool) {
    let same = asking.build.same_as.as_ref().and_then(|same| environment.service(same));
    match &same.unwrap_or(asking).build.cargo {
        Some(package) if asking.builds() || same.is_some() => {
            (vec![format!("/app/{package}"), "get".to_owned(), url.to_owned()], true)
        }
        _ => (["/bin/sh", "-c", SCRIPT, url].map(str::to_owned).to_vec(), false),
    }
}
