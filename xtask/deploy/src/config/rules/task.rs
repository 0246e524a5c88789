//! What the containers of a task run, and how they go together.

use super::{Findings, Place, Rule, Scope};
use crate::config::{Severity, suggest};
use crate::model::{CONNECT_PROXY, Condition, Container, ImageName, Service, Sidecar};

pub(super) const RULES: &[Rule] = &[
    Rule::Environment("container-program", container_program),
    Rule::EachService("container-order", container_order),
    Rule::EachService("sidecar", sidecar),
];

/// The users and groups of a package's image (`xtask/src/image/assemble.rs`).
const NAMES: [&str; 2] = ["root", "nonroot"];

/// What a container runs can start in its image.
///
/// Sources: Docker, `--workdir` ("it needs to be an absolute path") and `--user`; and the image itself: what `build.cargo`
/// makes holds one static binary at `/app/PACKAGE`, which is in its `PATH`, no shell, and two users.
fn container_program(scope: &Scope<'_>, found: &mut Findings) {
    for (container, at, service, service_at) in scope.containers() {
        let package = service.package_of(&container.name).filter(|package| !scope.lacks_package(package));
        let image = package.map(|package| (package.as_str(), service_at.key("build.cargo")));
        entry_point(container, image.as_ref(), &at, found);
        user(container, image.as_ref(), &at, found);
        let folder = at.key("working-directory");
        if container.working_directory.as_ref().is_some_and(|folder| !folder.starts_with('/')) {
            found
                .error("a working directory is an absolute path")
                .at(&folder, "does not begin with `/`")
                .note("tasks would not start: an engine joins it to nothing");
        }
    }
}

/// A package's image: its package and where that is written.
type OfPackage<'a> = Option<&'a (&'a str, Place<'a>)>;

fn entry_point(container: &Container, image: OfPackage<'_>, at: &Place<'_>, found: &mut Findings) {
    let at = at.key("entry-point");
    let [program, ..] = container.entry_point.as_slice() else { return };
    let starts = |package: &str| program == package || *program == format!("/app/{package}");
    if let Some((package, cargo)) = image.filter(|(package, _)| !starts(package)) {
        let help = format!("leave it out and give arguments as `command`, or begin it with `/app/{package}`");
        found
            .error("the entry point's program is not in the image")
            .at(at, format!("`{program}`"))
            .context(cargo, format!("the image holds `/app/{package}` and nothing else"))
            .help(help);
    } else if container.entry_point.len() == 1 && program.contains(' ') {
        let words: Vec<String> = program.split_whitespace().map(|word| format!("{word:?}")).collect();
        found
            .error("an entry point of one word with spaces in it")
            .at(&at, "the whole text is taken for the name of a program")
            .replace(&at, format!("[{}]", words.join(", ")), "give each word by itself");
    }
}

fn user(container: &Container, image: OfPackage<'_>, at: &Place<'_>, found: &mut Findings) {
    let at = at.key("user");
    let Some(user) = container.user.as_deref() else { return };
    let mut parts = user.splitn(2, ':');
    let is_known = |part: &str| NAMES.contains(&part) || part.chars().all(|c| c.is_ascii_digit());
    let is_name = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if !parts.clone().all(is_name) {
        found
            .error("not a user of a container")
            .at(at, "neither `USER` nor `USER:GROUP`")
            .note("both are numbers, or names that the image has in `/etc/passwd` and `/etc/group`");
    } else if let Some((_, cargo)) = image.filter(|_| !parts.all(is_known)) {
        found
            .error("the image has no user of this name")
            .at(at, "a name")
            .context(cargo, "an image with the users `root` and `nonroot`")
            .help("give a number, such as `user = \"1000\"`");
    }
}

/// Containers wait for containers that are there, for what can come true, and not for one another.
///
/// Source: ECS API, ContainerDependency. RegisterTaskDefinition refuses the rest ("A dependency container with SUCCESS or
/// COMPLETE condition cannot be an essential container", "… with HEALTHY condition must have a health check").
fn container_order(service: &Service, service_at: &Place<'_>, found: &mut Findings) {
    for (path, container) in service.containers() {
        let at = service_at.key(path).key("depends-on");
        for (name, condition) in &container.depends_on {
            let at = at.key(name);
            match service.containers().find(|(_, other)| other.name == *name) {
                _ if *name == container.name => {
                    found.error(format!("`{name}` waits for itself")).at(at, "its own name");
                }
                // One whose definition is in AWS's own words is not judged.
                None if service.aws.task_definition.get(&["containerDefinitions", name]).is_some() => {}
                None => unknown_container(service, container, &at, name, found),
                Some((path, other)) => {
                    condition_of(service, other, *condition, [&at, &service_at.key(path)], found);
                }
            }
        }
        let circle = |other: &&String| {
            **other != container.name && reaches(service, other, &container.name, &mut Vec::new())
        };
        if let Some(other) = container.depends_on.keys().find(circle) {
            found
                .error(format!("`{}` and `{other}` wait for each other", container.name))
                .at(at.key(other), "a circle: none of them starts");
        }
    }
}

fn unknown_container(
    service: &Service,
    container: &Container,
    at: &Place<'_>,
    name: &str,
    found: &mut Findings,
) {
    let names = || service.containers().map(|(_, it)| it.name.as_str()).filter(|it| *it != container.name);
    let wrong = found
        .error(format!("there is no container `{name}` to wait for"))
        .at(at.name(), "no such container in this service");
    match suggest::closest(name, names()) {
        Some(meant) => wrong.help(format!("did you mean `{meant}`?")),
        None if names().next().is_some() => {
            wrong.note(format!("its other containers are {}", suggest::all(names())))
        }
        None => wrong.help(format!("describe it in `[service.{}.sidecar.{name}]`", service.key)),
    };
}

/// What of the other container keeps the condition from coming true.
fn condition_of(
    service: &Service,
    other: &Container,
    condition: Condition,
    [at, other_at]: [&Place<'_>; 2],
    found: &mut Findings,
) {
    let name = &other.name;
    let sidecar = service.sidecars.iter().find(|it| it.container.name == *name);
    let waits_for_end = matches!(condition, Condition::Complete | Condition::Success);
    if waits_for_end && sidecar.is_none_or(|it| it.essential) {
        let wrong = found.error(format!("when `{name}` ends, so does the task")).at(at, "waits for its end");
        match sidecar {
            Some(_) => wrong
                .context(other_at, "essential, unless it says otherwise")
                .help(format!("set `essential = false` in `[service.{}.sidecar.{name}]`", service.key)),
            None => wrong.help("wait for its `START` or `HEALTHY`: the service's own container is essential"),
        };
    } else if condition == Condition::Healthy && other.health_check.is_none() {
        found
            .error(format!("`{name}` has no health check that could pass"))
            .at(at, "waits for its health")
            .help("give it a `health-check`, or wait for its `START`");
    }
}

/// Whether `from` waits for `to`, directly or through others.
fn reaches<'a>(service: &'a Service, from: &str, to: &str, seen: &mut Vec<&'a str>) -> bool {
    let container = service.containers().find(|(_, it)| it.name == from).map(|(_, it)| it);
    let mut next = container.into_iter().flat_map(|it| it.depends_on.keys());
    next.any(|next| {
        let known = seen.contains(&next.as_str());
        seen.push(next);
        next == to || (!known && reaches(service, next, to, seen))
    })
}

/// Sidecars fit beside the service's own container: by name, in size, and as routers of its logs.
///
/// Sources: ECS API, ContainerDefinition (`cpu`, `memory`: within the task's); ECS developer guide, FireLens: one router for
/// each task, and a container whose logs go to it. RegisterTaskDefinition refuses the rest.
fn sidecar(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for sidecar in &service.sidecars {
        let name = &sidecar.container.name;
        let table = at.key("sidecar").key(name).name();
        if let Some(Err(why)) = sidecar.image.as_deref().map(ImageName::parse) {
            found.error(format!("the image of `{name}` {why}")).at(
                at.key("sidecar").key(name).key("image"),
                "as its registry calls it, with a tag or digest",
            );
        }
        if *name == service.container.name {
            found
                .error(format!("two containers are called `{name}`"))
                .at(table, "a sidecar")
                .at(at.key("container.name"), "the service's own container")
                .help("give the sidecar another name");
        } else if name.starts_with(CONNECT_PROXY) {
            found
                .error(format!("`{name}` is a name of Service Connect"))
                .at(table, "ECS gives its proxies such names")
                .help("give the sidecar another name");
        }
    }
    let sum = |of: fn(&Sidecar) -> Option<u32>| service.sidecars.iter().filter_map(of).sum::<u32>();
    for (key, unit, taken, whole) in [
        ("cpu", "CPU units", sum(|it| it.cpu), service.cpu),
        ("memory-mib", "MiB", sum(|it| it.memory_mib), service.memory_mib),
    ] {
        // Their limits may add up to the task's: what has none runs with whatever they do not use.
        let severity = if taken > whole { Severity::Error } else { Severity::Warning };
        if taken >= whole {
            let places = service.sidecars.iter().map(|it| at.key("sidecar").key(&it.container.name).key(key));
            let first = places.into_iter().find(Place::written);
            found
                .add(severity, format!("the sidecars leave nothing of the task's {whole} {unit}"))
                .at(first.as_ref().and_then(Place::span), format!("{taken} {unit} for sidecars"))
                .at(at.key(key), format!("{whole} {unit} for the task"))
                .help(format!("give the task more, or the sidecars less `{key}`"));
        }
    }
    log_routers(service, at, found);
}

fn log_routers(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let routers: Vec<_> = service.sidecars.iter().filter(|it| it.log_router.is_some()).collect();
    let of = |router: &Sidecar| at.key("sidecar").key(&router.container.name);
    let routed = service.containers().find(|(_, it)| !it.log_output.is_empty());
    match (routers.as_slice(), routed) {
        ([], None) => {}
        ([], Some((path, _))) => {
            found
                .error("logs go to a router, and there is none")
                .at(at.key(path).key("log-output"), "for a log router")
                .help(
                    "give a sidecar `log-router = \"fluentbit\"`, or take this out: then its logs go to the log group",
                );
        }
        ([router], _) if !router.container.log_output.is_empty() => {
            found
                .error("a log router's own logs cannot go through it")
                .at(of(router).key("log-output"), "its own output")
                .help("take it out: the router's logs go to the log group");
        }
        // Written in AWS's own words, it may be `awsfirelens`: then the router has logs.
        ([router], None) if service.aws.container.get(&["logConfiguration"]).is_none() => {
            found
                .error(format!("no container's logs go to the router `{}`", router.container.name))
                .at(of(router).key("log-router"), "ECS refuses a router without logs")
                .help(format!(
                    "give `log-output = {{ Name = \"…\" }}` in `[service.{}.container]`",
                    service.key
                ));
        }
        ([_], _) => {}
        ([one, two, ..], _) => {
            found
                .error("a task has one log router")
                .at(of(one).key("log-router"), "here")
                .at(of(two).key("log-router"), "and here again");
        }
    }
}
