//! Out of a repository's Dockerfiles or packages: for all else a value to change, with a comment that explains it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A service that the repository seems to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its short name, which every other name is derived from.
    pub key: String,
    /// What its image is made of.
    pub source: Source,
    /// The port it listens on.
    pub port: u16,
    /// The path that answers 200 when it is well.
    pub health: String,
}

/// What an image is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A Dockerfile and the folder that it may copy from; both from the top of the repository.
    Dockerfile { file: String, context: String },
    /// A package of the Cargo workspace.
    Package(String),
}

/// Keys of services that pages come from: they get every path that no other service has.
const PAGES: [&str; 6] = ["frontend", "web", "www", "site", "ui", "app"];

/// A file that deploys these services, called `app` together, to the embedded cloud as it is.
pub fn start(app: &str, found: &[Found]) -> String {
    let pages = found.iter().rposition(|service| PAGES.contains(&service.key.as_str()));
    let pages = pages.unwrap_or(found.len().saturating_sub(1));
    // One of them: a second one would have the same rule.
    let is = |name: &&str| found.iter().enumerate().any(|(at, service)| at != pages && service.key == *name);
    let api = ["api", "backend", "server"].into_iter().find(is);
    // A rule by exact path leads each health path to its own service, so these must differ.
    let paths: BTreeSet<&str> = found.iter().map(|service| service.health.as_str()).collect();
    let distinct = paths.len() == found.len();
    let mut text = head(app, &short(app, found), distinct);
    for (at, service) in found.iter().enumerate() {
        let others = found.iter().enumerate().filter(|(other, _)| at == pages && *other != pages);
        let others: Vec<&Found> = others.map(|(_, other)| other).collect();
        let path = match (at == pages, service.key.as_str()) {
            (true, _) => "/*".to_owned(),
            (false, key) if Some(key) == api => "/api/*".to_owned(),
            (false, key) => format!("/{key}/*"),
        };
        // Lower is tried first, and whoever has every path must be last.
        let priority = if at == pages { 900 } else { 100 + 10 * at };
        let smoke = if distinct { Some(service.health.as_str()) } else { (at == pages).then_some("/") };
        section(&mut text, service, (&path, priority), smoke, &others);
    }
    text.push_str(ENVIRONMENTS);
    text
}

/// The longest key of a service.
pub const LONGEST_KEY: usize = 22;

/// The application's name where AWS has 32 characters for it, the environment's and the service's (ELBv2 API,
/// CreateTargetGroup, CreateLoadBalancer; a load balancer's does not begin with `internal-` either).
fn short(app: &str, found: &[Found]) -> String {
    let key = found.iter().map(|service| service.key.len()).max().unwrap_or_default();
    let room = 32_usize.saturating_sub(key + "-local-".len()).max(1);
    let app = if format!("{app}-").starts_with("internal-") { format!("x-{app}") } else { app.to_owned() };
    app.chars().take(room).collect::<String>().trim_end_matches('-').to_owned()
}

fn head(app: &str, short: &str, health_routes: bool) -> String {
    format!(
        r#"#:schema ./xtask/deploy/deploy.schema.json
#
# What runs where. `cargo xtask deploy` makes the account look like this file; `cargo xtask plan` shows the difference.
# The values at the top hold for every environment; [env.NAME], at the end, overrides them key by key.
# `{{env}}` and `{{service}}` stand for the environment's and the service's name. Times are in seconds.

# What `cargo xtask deploy` means without --env. Production is only touched when it is named: --env prod.
default-env = "local"

app = "{app}"
region = "eu-central-1"             # CHANGE: where it runs on AWS
cluster = "{app}-{{env}}"
namespace = "{app}-{{env}}.local"     # Service Connect: services reach each other at http://SERVICE.NAMESPACE:PORT

# CHANGE for AWS: these exist already, and are looked up by Name tag or id. The embedded cloud has whatever is named here.
[network]
vpc = "main"
subnets = ["private-a", "private-b"]
assign-public-ip = false            # true where the subnets have no NAT gateway and no VPC endpoints

[load-balancer]
name = "{short}-{{env}}"
subnets = ["public-a", "public-b"]  # at least two availability zones
security-groups = ["alb"]
listener = {{ port = 80, protocol = "HTTP" }}
health-routes = {health_routes}{}

[every-service]
name = "{app}-{{env}}-{{service}}"
family = "{app}-{{env}}-{{service}}"
repository = {{ name = "{app}/{{service}}", keep-images = 30 }}
log-group = {{ name = "/ecs/{app}-{{env}}-{{service}}", retention-days = 30 }}
target-group = {{ name = "{short}-{{env}}-{{service}}" }}
container = {{ name = "{{service}}" }}
cpu = 512                           # half a vCPU
memory-mib = 1024
architecture = "X86_64"
execution-role = "ecsTaskExecutionRole"   # pulls images, reads secrets, writes logs
# task-role = "{app}-task"            # what the application itself may do on AWS
security-groups = ["tasks"]
deployment = {{ health-check-grace-secs = 60 }}   # how long a new task may fail its checks before it is replaced
scaling = {{ min = 2, max = 10 }}
"#,
        if health_routes {
            ""
        } else {
            "               # true once each service has a health path of its own"
        }
    )
}

fn section(text: &mut String, service: &Found, route: (&str, usize), smoke: Option<&str>, needs: &[&Found]) {
    let Found { key, source, port, health } = service;
    let build = match source {
        Source::Dockerfile { file, context } => {
            format!("{{ dockerfile = {}, context = {} }}", quoted(file), quoted(context))
        }
        Source::Package(package) => format!("{{ cargo = {} }}", quoted(package)),
    };
    let names: Vec<String> = needs.iter().map(|other| quoted(&other.key)).collect();
    // A `String` takes whatever is written.
    let _ = write!(text, "\n[service.{key}]\nbuild = {build}\n");
    let _ = writeln!(text, "routes = [{{ path = {}, priority = {} }}]", quoted(route.0), route.1);
    if !names.is_empty() {
        let _ = writeln!(text, "depends-on = [{}]", names.join(", "));
    }
    let health = quoted(health);
    let asked = "# asked through the load balancer after a deploy";
    let _ = match smoke {
        Some(path) => writeln!(text, "smoke = [{{ path = {} }}]   {asked}", quoted(path)),
        None => {
            writeln!(text, "# smoke = [{{ path = {} }}]   {asked}", quoted(&route.0.replace('*', "health")))
        }
    };
    let _ = writeln!(
        text,
        "target-group.health.path = {health}   # CHANGE: answers 200 without asking other services"
    );
    let _ = writeln!(text, "connect = {{}}");
    let _ = write!(
        text,
        "\n[service.{key}.container]\nport = {port}   # it must listen on 0.0.0.0; PORT is set to it\n"
    );
    text.push_str("readonly-root = false   # true is safer where it writes no files, or to /tmp only with `tmp = true`\n");
    text.push_str("# environment = { LOG_LEVEL = \"info\" }\n");
    let _ = writeln!(
        text,
        "# secrets = {{ DB_PASSWORD = \"/{{env}}/{key}/db-password\" }}   # where it is kept, not the secret"
    );
}

const ENVIRONMENTS: &str = r#"
[env.prod]
confirm = true                      # asks before it writes; unattended runs say --yes
account = "123456789012"            # CHANGE: `aws sts get-caller-identity`; any other account is refused

# The embedded cloud, started when needed.
[env.local]
kind = "local"
timeouts = { poll-secs = 1 }

[env.local.every-service]
target-group = { deregistration-delay-secs = 5, health = { interval-secs = 5, timeout-secs = 2 } }
container = { stop-timeout-secs = 5 }
deployment = { bake-secs = 2 }
"#;

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(key: &str) -> Found {
        let source = Source::Dockerfile { file: format!("{key}/Dockerfile"), context: key.to_owned() };
        Found { key: key.to_owned(), source, port: 8080, health: "/health".to_owned() }
    }

    #[test]
    fn the_starting_file_has_no_mistake_whatever_was_found() {
        let cargo = Found { source: Source::Package("shop-api".to_owned()), ..found("shop-api") };
        let cases = [
            vec![found("shop")],
            vec![found("backend"), found("frontend")],
            vec![found("web"), found("api"), found("billing")],
            vec![cargo, found("one"), found("two"), found("three")],
            vec![found("n".repeat(LONGEST_KEY).as_str()), found("notification-sender")],
        ];
        let long = "my-super-long-repository-name-that-is-long";
        let longest = long.repeat(3);
        let apps = ["shop", "a", "internal", "internal-tools", "live-", long, &longest];
        for (app, services) in apps.iter().flat_map(|app| cases.iter().map(move |case| (app, case))) {
            let text = start(app.trim_end_matches('-'), services);
            for env in ["local", "prod"] {
                let loaded = crate::config::load("deploy.toml", &text, Some(env));
                let loaded = loaded.unwrap_or_else(|report| panic!("{}\n{text}", report.render(false)));
                assert_eq!(loaded.environment.services.len(), services.len());
                // A placeholder for the account, and a service that no path leads a check to: both are for a person.
                let mut warned = loaded.warnings.findings().map(|finding| finding.code);
                assert!(
                    warned.all(|code| ["account-open", "smoke-route"].contains(&code)),
                    "{}\n{text}",
                    loaded.warnings.render(false)
                );
            }
        }
    }

    #[test]
    fn pages_get_what_no_other_service_has_and_wait_for_the_others() {
        let text = start("shop", &[found("web"), found("api")]);
        let loaded = crate::config::load("deploy.toml", &text, None).unwrap();
        let order: Vec<_> =
            loaded.environment.services.iter().map(|service| service.key.0.as_str()).collect();
        assert_eq!(order, ["api", "web"]);
        assert_eq!(loaded.environment.services[1].routes.last().unwrap().path, "/*");
    }
}
