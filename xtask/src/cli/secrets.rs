//! `secrets`: those that deploy.toml names, and a new value for one. No value is read, printed or put into an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use deploy::event::{ExitCode, Kind};
use deploy::model::Environment;
use deploy::secrets::{SecretVariable, Store, named};
use deploy::view::secrets as view;
use serde_json::json;

use super::args::{Global, Secrets};
use super::session::{Session, Settings, quiet};
use super::{Failure, consent, meant, observed};
use crate::host::{Host, Secret, Terminal};
use crate::observe;
use crate::report::{Format, Recorder, print_result, print_text};

pub(super) async fn run(host: &Host, global: &Global, asked: &Secrets) -> Result<ExitCode, Failure> {
    let events = quiet(host, global);
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    if named(&environment).is_empty() {
        return Err(Failure::usage("no container in deploy.toml has `secrets`"));
    }
    let session = Session::running(host, &events, settings).await?;
    observe::guard(&session.aws, &environment).await.map_err(|error| observed::failure(&error))?;
    match asked {
        Secrets::List => list(&session, &events, global).await,
        Secrets::Set { name } => set(host, &session, &events, global, name).await,
    }
}

async fn list(session: &Session, events: &Recorder, global: &Global) -> Result<ExitCode, Failure> {
    let (aws, environment) = (&session.aws, &session.settings.environment);
    let mut tasks = BTreeMap::new();
    for service in &environment.services {
        // A service that is not there yet has no tasks.
        let read = aws.service_tasks(&environment.cluster, &service.name, false).await;
        tasks.insert(service.key.0.clone(), read.unwrap_or_default());
    }
    let of = |key: &str| tasks.get(key).cloned().unwrap_or_default();
    let (states, unread) = observe::secrets(aws, environment, of).await;
    match global.output {
        Format::Json => {
            print_result(&json!({ "environment": environment.name, "secrets": states }).to_string())
        }
        _ if states.is_empty() => {}
        _ => print_text(&view(&states, aws.now_ms())),
    }
    let complete = unread.is_empty();
    unread.into_iter().for_each(|text| events.emit(Kind::Warned { text }));
    Ok(match states.iter().any(|state| state.changed_ms.is_none()) {
        true => ExitCode::Failed,
        false if complete => ExitCode::Done,
        false => ExitCode::Unknown,
    })
}

async fn set(
    host: &Host,
    session: &Session,
    events: &Recorder,
    global: &Global,
    name: &str,
) -> Result<ExitCode, Failure> {
    let (aws, environment) = (&session.aws, &session.settings.environment);
    let (meant, services) = secret(environment, name)?;
    if let Some(part) = &meant.part {
        return Err(Failure::usage(format!(
            "{} is `{part}` of {}: a new value would replace the others in it",
            meant.variable, meant.id
        ))
        .hint("change it with `aws secretsmanager put-secret-value`, with all of its members"));
    }
    if let Some(owner) = meant.owner(environment) {
        return Err(Failure::usage(format!(
            "{} belongs to account {owner}, which alone can set it",
            meant.id
        ))
        .hint(format!("set it with credentials of account {owner}: `aws ssm put-parameter --overwrite`")));
    }
    consent::asked(host, global, events, environment, "the new value").await?;
    let value = value(host, &meant).await?;
    let token = format!("{:016x}{:016x}", host.rng.next_u64(), host.rng.next_u64());
    let put = match meant.store {
        Store::SecretsManager => aws.put_secret_value(&meant.id, &value, &token).await,
        Store::ParameterStore => aws.put_parameter(&meant.id, &value).await,
    };
    put.map_err(|error| Failure::hinted(&error, error.hint()))?;
    let restart = format!("cargo xtask restart {}", services.iter().cloned().collect::<Vec<_>>().join(" "));
    match global.output {
        Format::Json => {
            print_result(&json!({ "store": meant.store, "id": meant.id, "services": services }).to_string())
        }
        _ => print_text(&format!(
            "{} in {} has a new value; tasks that run keep the old one until `{restart}`",
            meant.id,
            meant.store.words()
        )),
    }
    Ok(ExitCode::Done)
}

/// The secret of this variable, `SERVICE.VARIABLE` or id, and the services that have it.
fn secret(environment: &Environment, name: &str) -> Result<(SecretVariable, BTreeSet<String>), Failure> {
    let all = named(environment);
    let fits = |it: &&SecretVariable| {
        it.variable == name || it.id == name || format!("{}.{}", it.service, it.variable) == name
    };
    let found: Vec<&SecretVariable> = all.iter().filter(fits).collect();
    let Some(first) = found.first() else {
        let known: BTreeSet<&str> = all.iter().map(|it| it.variable.as_str()).collect();
        return Err(meant::unknown("secret", name, known.into_iter()));
    };
    if found.iter().any(|it| it.id != first.id) {
        let ways: Vec<_> = found.iter().map(|it| format!("{}.{}", it.service, it.variable)).collect();
        return Err(Failure::usage(format!("`{name}` is kept in several places"))
            .hint(format!("name one of them: {}", ways.join(", "))));
    }
    let services = all.iter().filter(|it| it.id == first.id).map(|it| it.service.0.clone()).collect();
    Ok(((*first).clone(), services))
}

/// In so many columns: an ARN is longer than most terminals are wide, and its own name says which secret it is.
fn question(meant: &SecretVariable, columns: Option<usize>) -> String {
    let SecretVariable { variable, id, .. } = meant;
    let resource = id.splitn(7, ':').nth(6).or_else(|| id.split_once(":parameter").map(|(_, name)| name));
    let questions = [id, resource.unwrap_or(id)].map(|name| format!("Value of {variable} ({name}): "));
    let fits = |question: &String| columns.is_none_or(|columns| question.len() < columns);
    questions.into_iter().find(fits).unwrap_or_else(|| format!("Value of {variable}: "))
}

/// From a person without an echo, or else all of standard input without the line end that `echo` adds.
async fn value(host: &Host, meant: &SecretVariable) -> Result<Secret, Failure> {
    let read = match host.terminal.stdin {
        true if !host.terminal.can_ask() => {
            return Err(
                Failure::usage("there is no terminal to ask at").hint("pass the value on standard input")
            );
        }
        true => Terminal::hidden(&question(meant, Terminal::error_columns())).await,
        false => Terminal::rest().await,
    };
    let text = read.map_err(|error| match error.kind() {
        ErrorKind::Interrupted => {
            Failure::usage("interrupted; nothing was written").exit(ExitCode::Interrupted)
        }
        ErrorKind::InvalidData => Failure::usage("the value is no UTF-8 text; nothing was written")
            .hint("a container gets it as a variable: encode it first, such as by `base64`"),
        _ => Failure::usage(format!("cannot read the value: {error}")),
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Failure::usage("the value is empty; nothing was written"));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use deploy::model::ServiceKey;

    use super::*;

    #[test]
    fn the_question_for_a_value_fits_the_terminal() {
        let asks = |id: &str, columns| {
            let (service, container) = (ServiceKey("backend".to_owned()), "backend".to_owned());
            let (variable, id) = ("DB_PASSWORD".to_owned(), id.to_owned());
            let store = Store::SecretsManager;
            question(&SecretVariable { service, container, variable, store, id, part: None }, columns)
        };
        let secret =
            "arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:ielts/prod/db-password-AbCdEf";
        assert_eq!(asks(secret, None), format!("Value of DB_PASSWORD ({secret}): "));
        assert_eq!(asks(secret, Some(80)), "Value of DB_PASSWORD (ielts/prod/db-password-AbCdEf): ");
        let parameter =
            "arn:aws:ssm:ap-southeast-1:123456789012:parameter/ielts/prod/a/long/name/of/db-password";
        assert_eq!(
            asks(parameter, Some(80)),
            "Value of DB_PASSWORD (/ielts/prod/a/long/name/of/db-password): "
        );
        assert_eq!(asks("/ielts/db", Some(80)), "Value of DB_PASSWORD (/ielts/db): ");
        assert_eq!(asks(parameter, Some(40)), "Value of DB_PASSWORD: ");
    }
}
