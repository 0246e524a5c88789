//! Secrets: where each is kept, and that none is written where everybody reads it.

use serde_json::Value;

use super::{Findings, Place, Rule};
use crate::config::suggest;
use crate::model::{Container, Service};
use crate::redact::{self, doubtful_name, secret_argument, secret_name, secret_value};

pub(super) const RULES: &[Rule] = &[
    Rule::EachContainer("secret-reference", secret_reference),
    Rule::EachService("secret-in-environment", secret_in_environment),
    Rule::EachContainer("public-variable", public_variable),
];

/// `secrets` says where a secret is kept, never the secret.
///
/// Source: ECS API, Secret.valueFrom: the ARN of a Secrets Manager secret or SSM parameter, or the
/// parameter's name. Of names only hierarchical ones (`/app/prod/key`) are taken here: a name without a slash
/// looks just like a password that somebody pasted.
fn secret_reference(container: &Container, at: &Place<'_>, found: &mut Findings) {
    for (name, reference) in &container.secrets {
        let at = at.key("secrets").key(name);
        let arn = reference.starts_with("arn:");
        let store =
            reference.split(':').nth(2).is_some_and(|store| ["secretsmanager", "ssm"].contains(&store));
        let wrong = match reference {
            _ if arn && !store => "an ARN of something else",
            reference if !redact::secret_reference(reference) => "neither an ARN nor `/a/parameter/name`",
            _ => continue,
        };
        found.error(format!("`{name}` does not say where the secret is kept")).at(&at, wrong).note(
            "it takes the ARN of a Secrets Manager secret or SSM parameter, or the parameter's name with a \
             leading slash",
        );
    }
}

/// No secret is written in plain environment variables, nor in what a container runs.
///
/// A task definition is readable for everybody with ecs:DescribeTaskDefinition, and every revision keeps it
/// for ever. The value itself is never shown: `redact` has masked it in what is quoted here.
///
/// A name says little: where it may as well be harmless, this is a warning, and `public` ends it.
fn secret_in_environment(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for (path, container) in service.containers() {
        secret_variables(container, &at.key(&path), found);
        for (key, words) in [("command", &container.command), ("entry-point", &container.entry_point)] {
            secret_words(&format!("the container's `{key}`"), words, &at.key(&path).key(key), found);
        }
        let output = container.log_output.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let help = "move it to `logConfiguration.secretOptions` of the container's `aws` table";
        public_members(output.collect(), &at.key(&path).key("log-output"), help, found);
    }
    let own = (at.key("aws.container"), &service.aws.container);
    let beside = service.sidecars.iter();
    let beside = beside.map(|it| (at.key("sidecar").key(&it.container.name).key("aws"), &it.aws));
    for (at, members) in [own].into_iter().chain(beside) {
        let texts = |of: &[&str]| -> Vec<(&str, &str)> {
            let members = members.get(of).and_then(Value::as_object).into_iter().flatten();
            members.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
        };
        let help = "a label is for everybody: give it by the container's `secrets`";
        public_members(texts(&["dockerLabels"]), &at.key("dockerLabels"), help, found);
        let help = "move it to `logConfiguration.secretOptions`";
        let options = texts(&["logConfiguration", "options"]);
        public_members(options, &at.key("logConfiguration.options"), help, found);
    }
    if let Some(task) = &service.before_roll {
        secret_words("`before-roll`", &task.command, &at.key("before-roll.command"), found);
    }
}

/// Labels and log options are in the task definition as they are. No key says that one is no secret: a warning.
fn public_members(members: Vec<(&str, &str)>, at: &Place<'_>, help: &str, found: &mut Findings) {
    for (name, value) in members {
        let named = secret_name(name) && !doubtful_name(name) && !redact::secret_reference(value);
        if named || secret_value(value).is_some() {
            found
                .warning(format!("maybe a secret in plain text: `{name}`"))
                .at(at.key(name).name(), "its name or value is like one")
                .note("whoever may read the task definition can read it, in every revision there ever was")
                .help(help);
        }
    }
}

fn secret_variables(container: &Container, at: &Place<'_>, found: &mut Findings) {
    let at = at.key("environment");
    let public = |name: &str| container.public.iter().any(|public| public == name);
    for (name, value) in &container.environment {
        let form = secret_value(value);
        let switch = ["", "true", "false"].contains(&value.as_str());
        if switch || public(name) || (form.is_none() && !secret_name(name)) {
            continue;
        }
        let (variable, at) = (name, at.key(name).name());
        let none = format!("if it is none, add `public = [\"{variable}\"]` to the container's table");
        if form.is_none() && doubtful_name(variable) {
            let text = format!("maybe a secret in the plain environment: `{variable}`");
            found.warning(text).at(at, "its name sounds like one").help(none);
            continue;
        }
        let label = form
            .map_or_else(|| "its name says that it is a secret".to_owned(), |form| format!("it is {form}"));
        found
            .error(format!("a secret in the plain environment: `{variable}`"))
            .at(at, label)
            .note("whoever may read the task definition can read it, in every revision there ever was")
            .note("if it was ever committed or deployed, replace the secret itself too")
            .help(format!(
                "keep it in Secrets Manager or the SSM parameter store, and say where in the container's \
                     `secrets`: `{variable} = \"/APP/ENV/NAME\"`; {none}"
            ));
    }
}

/// What `public` names is a variable of `environment`: a mistyped name says nothing of any variable.
fn public_variable(container: &Container, at: &Place<'_>, found: &mut Findings) {
    let variables = || container.environment.keys().map(String::as_str);
    for (name, at) in container.public.iter().zip(at.key("public").entries()) {
        if container.environment.contains_key(name) {
            continue;
        }
        let wrong = found
            .warning(format!("`{name}` is no variable of this container's `environment`"))
            .at(&at, "has no effect");
        match suggest::closest(name, variables()) {
            Some(meant) => wrong.meant(&at, meant),
            None => wrong.note(format!("its variables: {}", suggest::all(variables()))),
        };
    }
}

/// Of a command line the form of a word counts, and a flag whose name says that the word after it is a secret.
fn secret_words(of: &str, words: &[String], at: &Place<'_>, found: &mut Findings) {
    let mut flag: Option<&str> = None;
    for (word, at) in words.iter().zip(at.entries()) {
        let before = flag.replace(word);
        let named = || {
            let name = before.filter(|name| !doubtful_name(name) && secret_argument(name, word))?;
            Some(format!("what `{name}` takes"))
        };
        let Some(label) = secret_value(word).map(|form| format!("it is {form}")).or_else(named) else {
            continue;
        };
        found
            .error(format!("a secret in {of}"))
            .at(at, label)
            .note("whoever may read the task definition can read it, in every revision there ever was")
            .help("give it by the container's `secrets`, and have the application read the variable");
    }
}
