//! Size, health check, variables and logs of a task.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::naming::VARIABLE;
use super::{Findings, Place, Rule, Scope};
use crate::config::place::Span;
use crate::config::suggest;
use crate::model::spec::COMMIT_VARIABLE;
use crate::model::{Container, Service, Sidecar};

pub(super) const RULES: &[Rule] = &[
    Rule::EachService("fargate-size", fargate_size),
    Rule::EachService("container-port", container_port),
    Rule::Environment("container-health", container_health),
    Rule::EachService("variable-name", variable_name),
    Rule::EachService("exec-role", exec_role),
    Rule::Environment("log-retention", log_retention),
    Rule::EachService("own-entry", own_entry),
];

/// CPU units, and for each the memory in MiB: least, most, step.
const SIZES: [(u32, u32, u32, u32); 7] = [
    // 256 units take 512, 1024 and 2048, which is no even step: see `memories`.
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// 32 vCPU come with 60, 120 or 244 GiB.
const LARGEST: (u32, [u32; 3]) = (32768, [61440, 122_880, 249_856]);

/// The memory sizes in MiB for so many CPU units; empty when Fargate has no such CPU size.
fn memories(cpu: u32) -> Vec<u32> {
    if cpu == LARGEST.0 {
        return LARGEST.1.to_vec();
    }
    let Some(&(_, least, most, step)) = SIZES.iter().find(|(units, ..)| *units == cpu) else {
        return Vec::new();
    };
    (least..=most).step_by(step as usize).filter(|&memory| (cpu, memory) != (256, 1536)).collect()
}

/// Fargate has tasks of certain sizes only.
///
/// Source: ECS developer guide, task definition differences for Fargate (CPU and memory).
/// RegisterTaskDefinition refuses others with "No Fargate configuration exists for given values".
fn fargate_size(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let (cpu, memory) = (service.cpu, service.memory_mib);
    let (cpu_at, memory_at) = (at.key("cpu"), at.key("memory-mib"));
    let sizes = memories(cpu);
    if sizes.is_empty() {
        let units: Vec<String> = SIZES.iter().map(|(units, ..)| units.to_string()).collect();
        found
            .error(format!("Fargate does not offer {} CPU units", cpu))
            .at(cpu_at, "no such size")
            .note(format!("the sizes are {} and {}", units.join(", "), LARGEST.0));
    } else if !sizes.contains(&memory) {
        let fits = sizes.iter().find(|&&size| size >= memory).or(sizes.last()).copied().unwrap_or_default();
        found
            .error(format!("Fargate does not offer {} CPU units with {} MiB", cpu, memory))
            .at(cpu_at, format!("`cpu` is {}", cpu))
            .at(&memory_at, format!("`memory-mib` is {}", memory))
            .note(format!("with {} CPU units it has {}", cpu, mebibytes(&sizes)))
            .replace(&memory_at, fits.to_string(), format!("the nearest size is `memory-mib = {fits}`"));
    }
}

fn mebibytes(sizes: &[u32]) -> String {
    match sizes {
        [first, second, .., last] if sizes.len() > 4 => format!("{first}, {second} … {last} MiB"),
        _ => format!("{} MiB", sizes.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The application listens where the port mapping points.
///
/// The tool sets `PORT` from `container.port`; a different `PORT` in the environment would win, and every
/// health check would knock at a closed door.
fn container_port(service: &Service, service_at: &Place<'_>, found: &mut Findings) {
    let (container, at) = (&service.container, service_at.key("container"));
    let variable = &container.port_variable;
    let set = container.environment.get(variable);
    if container.port != 0 && set.is_some_and(|set| *set != container.port.to_string()) {
        found
            .error("the application listens on another port than the load balancer asks")
            .at(at.key("environment").key(variable), "where the application listens")
            .at(at.key("port"), "where health checks and requests go")
            .help(format!("leave `{variable}` out: it is set from `container.port`"));
    }
    shared_port(service, service_at, found);
}

/// Source: ECS developer guide, awsvpc network mode: the containers of a task share one network interface, so the second that
/// listens on a port fails at its start.
fn shared_port(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let mut seen: BTreeMap<u16, Place<'_>> = BTreeMap::new();
    for (path, container) in service.containers().filter(|(_, container)| container.port != 0) {
        let port = at.key(path).key("port");
        if let Some(first) = seen.insert(container.port, port.clone()) {
            found
                .error("two containers of a task listen on one port")
                .at(first, "here")
                .at(port, "and here")
                .note("the containers of a task share its network interface")
                .help("give one of them another port");
        }
    }
}

/// The container's health check can run in the image.
///
/// Source: ECS API, HealthCheck (the command's first word), and the image itself: what `build.cargo` makes
/// holds one static binary at `/app/PACKAGE` and no shell, so a shell command can never pass.
fn container_health(scope: &Scope<'_>, found: &mut Findings) {
    for (container, at, service, service_at) in scope.containers() {
        let package = service.package_of(&container.name);
        // What the image of an unknown package would hold is not known either: `package-name` says so.
        if !package.is_some_and(|package| scope.lacks_package(package)) {
            health_command(container, package, [&at, &service_at], found);
        }
    }
}

fn health_command(
    container: &Container,
    package: Option<&String>,
    [at, service_at]: [&Place<'_>; 2],
    found: &mut Findings,
) {
    let (command, cargo) = (&at.key("health-check.command"), &service_at.key("build.cargo"));
    let Some(health) = container.health_check.as_ref().filter(|_| command.written()) else { return };
    let words: Vec<&str> = health.command.iter().map(String::as_str).collect();
    let fix = package.map_or_else(
        || "[\"CMD\", \"PROGRAM\", …]".to_owned(),
        |package| format!("[\"CMD\", \"/app/{}\", \"probe\"]", package),
    );
    match (words.as_slice(), package) {
        (["CMD-SHELL", ..], Some(_)) => {
            found
                .error("the health check needs a shell, and the image has none")
                .at(command, "runs in `/bin/sh`")
                .context(cargo, "an image with one static binary in it")
                .replace(command, fix, "run the binary's own probe");
        }
        (["CMD-SHELL", _], None) => {}
        (["CMD", program, ..], Some(package)) if *program != format!("/app/{}", package) => {
            found
                .error("the health check's program is not in the image")
                .at(command, format!("`{program}`"))
                .context(cargo, format!("the image holds `/app/{}` and nothing else", package))
                .replace(command, fix, "run the binary's own probe");
        }
        (["CMD", _, ..], _) => {}
        _ => {
            found
                .error("a health check's command begins with `CMD` or `CMD-SHELL`")
                .at(command, "ECS would refuse it")
                .note("`CMD` takes a program and its arguments, `CMD-SHELL` one text for the shell")
                .replace(command, fix, "name the form first");
        }
    }
}

/// Environment variables have names, best such that a shell can read them, and each comes from one place.
///
/// Source: POSIX, Environment Variable Definition; ECS RegisterTaskDefinition takes names such as Spring's
/// `spring.datasource.url`. It refuses a name that is both in `environment` and in `secrets`, also one that the tool
/// itself sets, such as `PORT`.
fn variable_name(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for (path, container) in service.containers() {
        // The own container gets its port in a variable, and no sidecar does.
        let port = if path == "container" { container.port_variable.as_str() } else { "" };
        variable_names(container, [port, COMMIT_VARIABLE], &at.key(path), found);
    }
}

fn variable_names(container: &Container, set: [&str; 2], at: &Place<'_>, found: &mut Findings) {
    let plain = |name: &str| at.key("environment").key(name).name();
    for name in container.environment.keys() {
        variable(name, plain(name), found);
    }
    for name in container.secrets.keys() {
        let secret = at.key("secrets").key(name).name();
        variable(name, secret.clone(), found);
        let twice = format!("`{name}` has two sources");
        if set.contains(&name.as_str()) {
            found
                .error(&twice)
                .at(&secret, "a secret")
                .note("the tool sets this variable itself, and ECS refuses a name that is both")
                .help("give the secret another name");
        }
        if let Some(plain) = plain(name) {
            found
                .error(twice)
                .at(plain, "a plain value")
                .at(secret, "a secret")
                .help("keep the secret and remove the plain value");
        }
    }
}

fn variable(name: &str, at: Option<Span>, found: &mut Findings) {
    if name.is_empty() || name.contains(|c: char| c == '=' || c.is_control()) {
        found
            .error("not a name of an environment variable")
            .at(at, "empty, or with `=` or a control character in it");
    } else if let Some(problem) = VARIABLE.problem(name) {
        found.warning(format!("no shell can read the variable `{name}`")).at(at, problem).note(VARIABLE.law);
    }
}

/// Tasks that commands can run in have a task role.
///
/// Source: ECS developer guide, ECS Exec: the agent in the container opens its channels with the task role.
/// CreateService refuses `enableExecuteCommand` without one.
fn exec_role(service: &Service, at: &Place<'_>, found: &mut Findings) {
    if service.enable_execute_command && service.task_role.is_none() {
        found
            .error("commands can only run in tasks that have a task role")
            .at(at.key("enable-execute-command"), format!("`{}` has no `task-role`", service.key))
            .note("CreateService refuses it: ECS Exec opens its channel with the task role")
            .help("name a `task-role` that may call ssmmessages, or set `enable-execute-command = false`");
    }
}

const DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Logs are kept for a number of days that CloudWatch Logs offers.
///
/// Source: CloudWatch Logs API, PutRetentionPolicy. A log group that two services share has one retention: with two, each
/// deploy would set it to and fro, and no plan would ever be empty.
fn log_retention(scope: &Scope<'_>, found: &mut Findings) {
    let mut seen: BTreeMap<&str, (u32, Place<'_>)> = BTreeMap::new();
    for (service, at) in scope.services() {
        let (group, at) = (&service.log_group, at.key("log-group"));
        let (days, days_at) = (group.retention_days, at.key("retention-days"));
        if at.key("name").written() {
            let (other, other_at) = seen.entry(&group.name).or_insert_with(|| (days, days_at.clone()));
            if *other != days {
                found
                    .error("two services set different retentions for one log group")
                    .at(&*other_at, format!("{other} days"))
                    .at(&days_at, format!("{days} days"))
                    .context(at.key("name"), "the same log group")
                    .help("give both the same number, or each service a log group of its own");
            }
        }
        if days == 0 || DAYS.contains(&days) {
            continue;
        }
        let below = DAYS.iter().rfind(|&&offer| offer < days);
        let above = DAYS.iter().find(|&&offer| offer > days);
        let near: Vec<String> = below.into_iter().chain(above).map(u32::to_string).collect();
        found
            .error("CloudWatch Logs does not offer this retention")
            .at(days_at, format!("{days} days"))
            .note(format!("the nearest ones: {}", near.join(" and ")));
    }
}

/// `aws` tables leave alone what the tool sets in a list: its own container, its own port, its own endpoint.
///
/// Entries of these lists are merged by their names, and so would change what the tool works with. What has a place of its
/// own in the schema is refused there.
fn own_entry(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let (container, tables, at) = (&service.container, &service.aws, at.key("aws"));
    let mut refuse = |place, what: &str, label: &str, help: String| {
        found.error(format!("{what} is not for an `aws` table")).at(place, label).help(help);
    };
    if tables.task_definition.get(&["containerDefinitions", &container.name]).is_some() {
        let place = at.key("task-definition.containerDefinitions");
        let help = format!("move it to `[service.{}.aws.container]`", service.key);
        refuse(place, &format!("the container `{}`", container.name), "sidecars only", help);
    }
    let typed =
        |it: &&Sidecar| tables.task_definition.get(&["containerDefinitions", &it.container.name]).is_some();
    for sidecar in service.sidecars.iter().filter(typed) {
        let name = &sidecar.container.name;
        let place = at.key("task-definition.containerDefinitions");
        let help = format!("move it to `[service.{}.sidecar.{name}]` and its `aws` table", service.key);
        refuse(place, &format!("the container `{name}`"), "a sidecar with a table of its own", help);
    }
    let further =
        service.further_ports().map(|it| (it.port, format!("connect.endpoint.{}.port-name", it.name)));
    for (port, key) in [(container.port, "container.port-name".to_owned())].into_iter().chain(further) {
        if tables.container.get(&["portMappings", &port.to_string()]).is_some() {
            let place = at.key("container.portMappings");
            refuse(place, &format!("port {port}"), "further ports only", format!("set `{key}`"));
        }
    }
    let endpoints = tables.connect.get(&["services"]).and_then(Value::as_object);
    let known: BTreeSet<&str> = service.endpoints().map(|endpoint| endpoint.port_name).collect();
    let is_known =
        |name: &str| known.contains(name) || service.endpoints().any(|it| it.offer.discovery_name == name);
    for (other, _) in endpoints.into_iter().flatten().filter(|(name, _)| !is_known(name)) {
        let what = format!("the endpoint `{other}`");
        let help = match known.len() {
            0 => format!("add `[service.{}.connect]`", service.key),
            1 => format!(
                "the service's own endpoint is `portName = {:?}`; `[service.{}.connect.endpoint.{other}]` adds another",
                known.iter().next().unwrap_or(&""),
                service.key
            ),
            _ => format!("the service's endpoints have `portName` {}", suggest::all(known.iter().copied())),
        };
        refuse(at.key("connect.services"), &what, "no such endpoint", help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_awss() {
        assert_eq!(memories(256), [512, 1024, 2048]);
        assert_eq!(memories(512), [1024, 2048, 3072, 4096]);
        for (cpu, least, most, count) in [
            (1024, 2048, 8192, 7),
            (2048, 4096, 16384, 13),
            (4096, 8192, 30720, 23),
            (8192, 16384, 61440, 12),
            (16384, 32768, 122_880, 12),
            (32768, 61440, 249_856, 3),
        ] {
            let sizes = memories(cpu);
            assert_eq!(
                (sizes.first(), sizes.last(), sizes.len()),
                (Some(&least), Some(&most), count),
                "{cpu}"
            );
        }
        assert!(memories(1000).is_empty());
    }
}
