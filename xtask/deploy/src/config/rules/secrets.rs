//! Secrets: where each is kept, and that none is written where everybody reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Findings, Place, Rule, Span};
use crate::config::suggest;
use crate::model::{Container, Service};
use crate::redact::{self, certain_secret, doubtful_name, secret_argument, secret_name, secret_value};

pub(super) const RULES: &[Rule] = &[
    Rule::EachContainer("secret-reference", secret_reference),
    Rule::EachService("secret-in-environment", secret_in_environment),
    Rule::EachService("public-variable", public_variable),
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
            reference => {
                reserved_parameter(name, reference, &at, found);
                continue;
            }
        };
        found.error(format!("`{name}` does not say where the secret is kept")).at(&at, wrong).note(
            "it takes the ARN of a Secrets Manager secret or SSM parameter, or the parameter's name with a \
             leading slash",
        );
    }
}

/// No parameter has a name that AWS keeps for itself.
///
/// Source: SSM API, PutParameter: no name begins with `aws` or `ssm`, in any case. AWS's own are below `/aws/service`, and
/// `/aws/reference/secretsmanager` leads to Secrets Manager.
fn reserved_parameter(variable: &str, reference: &str, at: &Place<'_>, found: &mut Findings) {
    let name = match reference.splitn(6, ':').nth(5) {
        Some(resource) => resource.strip_prefix("parameter"),
        None => Some(reference),
    };
    let Some(name) = name.map(|name| name.trim_start_matches('/').to_ascii_lowercase()) else { return };
    let theirs = ["aws/service/", "aws/reference/"].iter().any(|tree| name.starts_with(tree));
    if theirs || !["aws", "ssm"].iter().any(|prefix| name.starts_with(prefix)) {
        return;
    }
    found
        .error(format!("`{variable}` names a parameter that cannot exist"))
        .at(at, "begins with `aws` or `ssm`")
        .note("Parameter Store keeps names that begin with `aws` or `ssm`, in any case, for AWS (SSM API, PutParameter)")
        .help("give the parameter another name, such as `/APP/ENV/NAME`");
}

/// What of a container everybody reads who may read the task definition.
struct Readable<'a> {
    /// Whose `public` says what is no secret.
    container: &'a Container,
    /// Which table that is, as help calls it.
    table: &'static str,
    texts: Vec<Text<'a>>,
    /// Command lines: what each is called, its words and where they are.
    lines: Vec<(&'static str, Vec<&'a str>, Place<'a>)>,
}

/// A value with a name.
struct Text<'a> {
    kind: &'static Kind,
    name: &'a str,
    value: &'a str,
    at: Option<Span>,
}

struct Kind {
    /// Where the text is written, as the sentence names the place.
    of: &'static str,
    /// What to do with a secret.
    instead: &'static str,
    /// Whether it may say where a secret is kept, for whoever reads it. A variable that does is meant for `secrets`.
    refers: bool,
}

const VARIABLE: Kind = Kind {
    of: "the plain environment",
    instead: "keep it in Secrets Manager or the SSM parameter store, and say where in the container's `secrets`: \
              `VARIABLE = \"/APP/ENV/NAME\"`",
    refers: false,
};
const LABEL: Kind = Kind {
    of: "a Docker label",
    instead: "a label is for everybody: give it by the container's `secrets`",
    refers: true,
};
const LOG_OPTION: Kind = Kind {
    of: "the options of the log driver",
    instead: "move it to `logConfiguration.secretOptions`",
    refers: true,
};
const LOG_OUTPUT: Kind = Kind {
    of: "the output of the log router",
    instead: "move it to `logConfiguration.secretOptions` of the container's `aws` table",
    refers: true,
};

impl<'a> Readable<'a> {
    /// The containers of a service: its own, its sidecars, and those that its `aws` table defines.
    fn all(service: &'a Service, at: &Place<'a>) -> Vec<Self> {
        let mut all: Vec<Self> =
            service.containers().map(|(path, container)| Self::of(service, container, at, &path)).collect();
        let own = || Self {
            container: &service.container,
            table: "the service's `container` table",
            texts: Vec::new(),
            lines: Vec::new(),
        };
        // The lists are read by name, in the order in which they are written.
        let list = at.key("aws.task-definition.containerDefinitions");
        let definitions =
            service.aws.task_definition.get(&["containerDefinitions"]).and_then(Value::as_object);
        for (place, definition) in definitions.into_iter().flat_map(Map::values).enumerate() {
            let at = list.key(place);
            let mut part = own();
            for (place, (name, value)) in texts(definition, "/environment").enumerate() {
                let at = at.key("environment").key(place).span();
                part.texts.push(Text { kind: &VARIABLE, name, value, at });
            }
            part.add_members(definition, &at);
            for (member, line) in
                [("command", "a container's `command`"), ("entryPoint", "a container's `entryPoint`")]
            {
                let words = definition[member].as_array().into_iter().flatten().filter_map(Value::as_str);
                part.lines.push((line, words.collect(), at.key(member)));
            }
            all.push(part);
        }
        let mut proxy = own();
        let options = service.aws.connect.get(&["logConfiguration"]).unwrap_or(&Value::Null);
        proxy.add_texts(
            &LOG_OPTION,
            texts(options, "/options"),
            &at.key("aws.connect.logConfiguration.options"),
        );
        all.push(proxy);
        if let Some(task) = &service.before_roll {
            let words = task.command.iter().map(String::as_str).collect();
            all[0].lines.push(("`before-roll`", words, at.key("before-roll.command")));
        }
        all
    }

    fn of(service: &'a Service, container: &'a Container, at: &Place<'a>, path: &str) -> Self {
        let sidecar = service.sidecars.iter().find(|it| it.container.name == container.name);
        let (members, members_at) = match sidecar.filter(|_| path != "container") {
            Some(sidecar) => (&sidecar.aws, at.key(path).key("aws")),
            None => (&service.aws.container, at.key("aws.container")),
        };
        let at = at.key(path);
        let lines = [
            ("the container's `command`", &container.command, "command"),
            ("the container's `entry-point`", &container.entry_point, "entry-point"),
        ];
        let words = |words: &'a [String]| words.iter().map(String::as_str).collect();
        let mut lines: Vec<_> = lines.map(|(of, line, key)| (of, words(line), at.key(key))).into();
        if let Some(check) = &container.health_check {
            let at = at.key("health-check.command");
            lines.push(("the container's health check", words(&check.command), at));
        }
        let (texts, table) = (Vec::new(), "the container's table");
        let mut part = Self { container, table, texts, lines };
        let pairs = |map: &'a BTreeMap<String, String>| map.iter().map(|(name, value)| (&**name, &**value));
        part.add_texts(&VARIABLE, pairs(&container.environment), &at.key("environment"));
        part.add_texts(&LOG_OUTPUT, pairs(&container.log_output), &at.key("log-output"));
        for (member, value) in members.iter() {
            part.add_member(member, value, &members_at);
        }
        part
    }

    fn add_texts(
        &mut self,
        kind: &'static Kind,
        texts: impl Iterator<Item = (&'a str, &'a str)>,
        at: &Place<'a>,
    ) {
        let text = |(name, value)| Text { kind, name, value, at: at.key(name).name() };
        self.texts.extend(texts.map(text));
    }

    /// The labels and log options of a container definition.
    fn add_members(&mut self, definition: &'a Value, at: &Place<'a>) {
        for (member, value) in definition.as_object().into_iter().flatten() {
            self.add_member(member, value, at);
        }
    }

    fn add_member(&mut self, member: &str, value: &'a Value, at: &Place<'a>) {
        match member {
            "dockerLabels" => self.add_texts(&LABEL, texts(value, ""), &at.key(member)),
            "logConfiguration" => {
                self.add_texts(&LOG_OPTION, texts(value, "/options"), &at.key("logConfiguration.options"));
            }
            _ => {}
        }
    }
}

/// The texts of the object at a JSON pointer, with their names.
fn texts<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let members = value.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

/// No secret is written in what of a task definition everybody reads: plain variables, labels, log options, command lines.
///
/// A task definition is readable for everybody with ecs:DescribeTaskDefinition, and every revision keeps it
/// for ever. The value itself is never shown: `redact` has masked it in what is quoted here.
///
/// A name says little: where it may as well be harmless, this is a warning, and `public` ends it. A password in a URL is one
/// whatever the file says: a warning is left.
fn secret_in_environment(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for part in Readable::all(service, at) {
        for text in &part.texts {
            if part.container.public.iter().any(|public| public == text.name) {
                public_secret(text, found);
            } else {
                secret_text(text, part.table, found);
            }
        }
        for (of, words, at) in &part.lines {
            secret_words(of, words, at, found);
        }
    }
}

fn secret_text(text: &Text<'_>, table: &str, found: &mut Findings) {
    let Text { kind, name, value, at } = text;
    let form = secret_value(value);
    let harmless = ["", "true", "false"].contains(value) || (kind.refers && redact::secret_reference(value));
    if harmless || (form.is_none() && !secret_name(name)) {
        return;
    }
    let none = format!("if it is none, add `public = [\"{name}\"]` to {table}");
    if form.is_none() && doubtful_name(name) {
        let text = format!("maybe a secret in {}: `{name}`", kind.of);
        found.warning(text).at(at, "its name sounds like one").help(none);
        return;
    }
    let label =
        form.map_or_else(|| "its name says that it is a secret".to_owned(), |form| format!("it is {form}"));
    found
        .error(format!("a secret in {}: `{name}`", kind.of))
        .at(at, label)
        .note("whoever may read the task definition can read it, in every revision there ever was")
        .note("if it was ever committed or deployed, replace the secret itself too")
        .help(format!("{}; {none}", kind.instead.replace("VARIABLE", name)));
}

fn public_secret(text: &Text<'_>, found: &mut Findings) {
    let Some(form) = certain_secret(text.value) else { return };
    found
        .warning(format!("a secret in {}: `{}`", text.kind.of, text.name))
        .at(&text.at, format!("`public` says that it is none, but it is {form}"))
        .note("whoever may read the task definition can read it, in every revision there ever was")
        .help(text.kind.instead.replace("VARIABLE", text.name));
}

/// What `public` names is there: a mistyped name says nothing of any variable.
fn public_variable(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let parts = Readable::all(service, at);
    for (path, container) in service.containers() {
        // Several parts may be judged by the `public` of the service's own container.
        let of = parts.iter().filter(|part| std::ptr::eq(part.container, container));
        let names: BTreeSet<&str> = of.flat_map(|part| &part.texts).map(|text| text.name).collect();
        for (name, at) in container.public.iter().zip(at.key(path).key("public").entries()) {
            if names.contains(name.as_str()) {
                continue;
            }
            let wrong = found
                .warning(format!("`{name}` is no variable, label or log option of this container"))
                .at(&at, "has no effect");
            match suggest::closest(name, names.iter().copied()) {
                Some(meant) => wrong.meant(&at, meant),
                None => wrong.note(format!("it has {}", suggest::all(names.iter().copied()))),
            };
        }
    }
}

/// Of a command line the form of a word counts, and a flag whose name says that the word after it is a secret.
fn secret_words(of: &str, words: &[&str], at: &Place<'_>, found: &mut Findings) {
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
