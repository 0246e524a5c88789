//! `routes`: rules of the listener, of a service or of the load balancer itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::{Condition, ConditionField, FixedResponseSpec, RedirectSpec, RuleAction, RuleSpec, normal};

/// A rule of the listener: it takes the requests that meet all that is given, of each list one entry. A rule may have five
/// values (ELB quotas).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Route {
    /// The pattern: case-sensitive, `*` is any text (slashes too), `?` any one character. `/api/*` does not
    /// match `/api`.
    pub path: String,
    /// Several patterns in place of `path`.
    #[schemars(length(min = 1, max = 5))]
    pub paths: Vec<String>,
    /// Names that are asked for, such as `app.example.com` or `*.example.com`.
    #[schemars(length(min = 1, max = 5))]
    pub hosts: Vec<String>,
    /// HTTP methods, such as `GET`.
    #[schemars(length(min = 1, max = 5))]
    pub methods: Vec<String>,
    /// Patterns of HTTP headers: name = patterns.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Patterns of the query string: `key=value`, or a value of any key.
    #[schemars(length(min = 1, max = 5))]
    pub query: Vec<String>,
    /// Addresses of clients, such as `203.0.113.0/24`. Behind a proxy it is the proxy's address.
    #[schemars(length(min = 1, max = 5))]
    pub source_ips: Vec<String>,
    /// Unique on the listener; the lowest number is tried first.
    #[schemars(range(min = 1, max = 50000))]
    pub priority: u32,
    /// Where requests are redirected to: only in `load-balancer.routes`.
    pub redirect: Option<Redirect>,
    /// What the load balancer answers by itself: only in `load-balancer.routes`.
    pub respond: Option<Respond>,
}

/// A redirect. What is omitted stays as it was asked for. Each part may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and
/// `#{query}` of the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Redirect {
    /// `HTTP`, `HTTPS` or `#{protocol}`.
    pub protocol: String,
    /// The host to redirect to, when it is another one.
    #[schemars(length(min = 1, max = 128))]
    pub host: String,
    /// The port to redirect to, when it is another one.
    #[schemars(length(min = 1, max = 7))]
    pub port: String,
    /// Another path; it begins with a slash.
    #[schemars(length(min = 1, max = 128))]
    pub path: String,
    /// Another query, without the question mark.
    #[schemars(length(max = 128))]
    pub query: String,
    /// Whether browsers may remember it: 301 instead of 302.
    pub permanent: bool,
}

impl Default for Redirect {
    fn default() -> Self {
        Self {
            protocol: "#{protocol}".to_owned(),
            host: "#{host}".to_owned(),
            port: "#{port}".to_owned(),
            path: "/#{path}".to_owned(),
            query: "#{query}".to_owned(),
            permanent: false,
        }
    }
}

/// An answer of the load balancer itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Respond {
    /// The HTTP status: 2xx, 4xx or 5xx.
    #[schemars(range(min = 200, max = 599))]
    pub status: u16,
    /// The body of the fixed response.
    #[schemars(length(max = 1024))]
    pub body: Option<String>,
    /// The type of the body.
    pub content_type: ContentType,
}

impl Default for Respond {
    fn default() -> Self {
        Self { status: 503, body: None, content_type: ContentType::Plain }
    }
}

/// What a body of the load balancer's can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContentType {
    #[serde(rename = "text/plain")]
    Plain,
    #[serde(rename = "text/css")]
    Css,
    #[serde(rename = "text/html")]
    Html,
    #[serde(rename = "application/javascript")]
    JavaScript,
    #[serde(rename = "application/json")]
    Json,
}

impl ContentType {
    fn wire(self) -> &'static str {
        match self {
            Self::Plain => "text/plain",
            Self::Css => "text/css",
            Self::Html => "text/html",
            Self::JavaScript => "application/javascript",
            Self::Json => "application/json",
        }
    }
}

impl Route {
    /// A rule for one path.
    pub fn of_path(path: &str, priority: u32) -> Self {
        Self { path: path.to_owned(), priority, ..Self::default() }
    }

    /// A rule that the account has, where this tool can write one like it.
    pub fn of(rule: &RuleSpec) -> Option<Self> {
        let mut route = Self { priority: rule.priority, ..Self::default() };
        for Condition { on, values } in rule.is_writable().then_some(&rule.conditions)? {
            let values = values.clone();
            match on {
                ConditionField::Path => match <[String; 1]>::try_from(values) {
                    Ok([path]) => route.path = path,
                    Err(paths) => route.paths = paths,
                },
                ConditionField::Host => route.hosts = values,
                ConditionField::Method => route.methods = values,
                ConditionField::Query => route.query = values,
                ConditionField::SourceIp => route.source_ips = values,
                ConditionField::Header(name) => drop(route.headers.insert(name.clone(), values)),
                ConditionField::Other(_) => return None,
            }
        }
        Some(route)
    }

    /// The patterns of `path` and `paths`.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        Some(&self.path).filter(|path| !path.is_empty()).into_iter().chain(&self.paths)
    }

    /// Which requests it takes, in normal form; none when nothing is given.
    pub fn conditions(&self) -> Vec<Condition> {
        use ConditionField::{Header, Host, Method, Path, Query, SourceIp};
        let lists = [
            (Path, self.paths().cloned().collect()),
            (Host, self.hosts.clone()),
            (Method, self.methods.clone()),
            (Query, self.query.clone()),
            (SourceIp, self.source_ips.clone()),
        ];
        let headers =
            self.headers.iter().map(|(name, values)| (Header(name.to_ascii_lowercase()), values.clone()));
        let all = lists.into_iter().chain(headers).map(|(on, values)| Condition { on, values });
        let given: Vec<Condition> = all.filter(|condition| !condition.values.is_empty()).collect();
        if given.is_empty() { given } else { normal(given) }
    }

    /// What the load balancer does by itself.
    pub fn action(&self) -> Option<RuleAction> {
        let redirect = self.redirect.clone().map(|it| {
            let Redirect { protocol, host, port, path, query, permanent } = it;
            RuleAction::Redirect(RedirectSpec { protocol, host, port, path, query, permanent })
        });
        let respond = self.respond.clone().map(|Respond { status, body, content_type }| {
            let content_type = Some(content_type.wire().to_owned());
            RuleAction::Respond(FixedResponseSpec { status, content_type, body })
        });
        redirect.or(respond)
    }
}
