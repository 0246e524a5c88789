//! A file that says what runs, so that its plan is empty: the sketch, and then line by line whatever the plan would change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Found;
use super::sketch::{self, Live};
use crate::config;
use crate::model::spec::Members;
use crate::model::{Desired, Environment, ImageDigest, ImageName, Observed, Release, ServiceKey};
use crate::plan::{Plan, Step, Why, Wish, differences, plan, write};
use crate::redact;

/// A line can bring up another one, such as the number of a port that of its protocol. Two rounds do for all that is known.
const ROUNDS: usize = 4;

/// A file in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    file: Map<String, Value>,
    pub env: String,
    head: String,
    /// What is written behind the line of a path.
    comments: BTreeMap<String, String>,
    /// Services whose image is named by a tag.
    tagged: BTreeSet<ServiceKey>,
    images: BTreeMap<ServiceKey, ImageDigest>,
    /// What the file does not say, and the plan would change.
    pub left: Vec<String>,
}

impl Draft {
    /// A file by which the account can be read.
    pub fn of(live: &Live, sources: &[Found]) -> Self {
        let mut draft = Self {
            file: sketch::tables(live),
            env: live.owner.as_ref().map_or_else(|| "prod".to_owned(), |owner| owner.environment.clone()),
            head: format!("cluster {} of account {} in {}", live.cluster, live.account, live.region),
            comments: BTreeMap::new(),
            tagged: BTreeSet::new(),
            images: BTreeMap::new(),
            left: live.skipped.iter().cloned().chain(sketch::other_rules(live)).collect(),
        };
        for (service, key) in live.services.iter().zip(sketch::keys(live)) {
            let image = sketch::image(service);
            let built = sketch::build(&key, &live.services, sources);
            let built = built.unwrap_or_else(|| "{ dockerfile = \"PATH\" }".to_owned());
            draft.comment(
                &format!("service.{key}.image"),
                format!("what runs; `build = {built}` and `repository` in its place have this tool build it"),
            );
            match image.rsplit_once('@') {
                Some((_, digest)) => {
                    drop(draft.images.insert(ServiceKey(key), ImageDigest(digest.to_owned())))
                }
                None => drop(draft.tagged.insert(ServiceKey(key))),
            }
        }
        draft.comment(&format!("env.{}.account", draft.env), "any other account is refused".to_owned());
        draft.comment("env.local.kind", "the embedded cloud: `cargo xtask deploy` tries it there".to_owned());
        draft.comment(
            "load-balancer.existing",
            "rules and target groups aside, nothing of it is changed".to_owned(),
        );
        draft.comment(
            "load-balancer.host",
            "CHANGE where it is another: the name that the certificate is for".to_owned(),
        );
        draft.comment("load-balancer.health-routes", "true adds a rule for each health path".to_owned());
        draft
    }

    fn comment(&mut self, path: &str, text: String) {
        self.comments.insert(path.to_owned(), text);
    }

    /// The images that run and that the file's services are of.
    pub fn images(&self) -> &BTreeMap<ServiceKey, ImageDigest> {
        &self.images
    }

    /// The services' short names and names.
    pub fn services(&self) -> Vec<String> {
        let services = self.file.get("service").and_then(Value::as_object).into_iter().flatten();
        services
            .map(|(key, service)| format!("{key} ({})", service["name"].as_str().unwrap_or_default()))
            .collect()
    }

    /// The environment that it describes, also where rules of deploy.toml are against what runs.
    pub fn environment(&self) -> Option<Environment> {
        self.read().0
    }

    fn read(&self) -> (Option<Environment>, config::Report) {
        config::judged(config::Workspace::UNKNOWN, "deploy.toml", &self.text(), Some(&self.env))
    }

    /// Adds what the account has and the file does not say.
    pub fn complete(&mut self, observed: &Observed) {
        for _ in 0..ROUNDS {
            let before = self.file.clone();
            let Some(environment) = self.environment() else { break };
            let desired = self.desired(environment);
            for service in &desired.environment.services {
                if let Some(running) = observed.services.get(&service.key) {
                    let lines = differences(Wish::All, &desired, service, observed, running);
                    self.lay(&service.key, lines.table());
                }
                let smoke =
                    service.smoke.iter().map(|check| json!({ "path": check.path })).collect::<Vec<_>>();
                if !smoke.is_empty() {
                    // No application of somebody else's says which service it is.
                    self.lay(&service.key, Map::from_iter([("smoke".to_owned(), json!(smoke))]));
                }
            }
            if self.file == before {
                break;
            }
        }
        let (environment, report) = self.read();
        let errors = report.findings().filter(|found| found.severity == config::Severity::Error);
        let errors: Vec<_> = errors.collect();
        self.left.extend(errors.iter().map(refused));
        // In place of a value that is none, something else was read: what a plan would do about it means nothing.
        let rules = config::rules();
        let is_read = errors.iter().all(|error| rules.contains(&error.code));
        match environment.filter(|_| is_read) {
            Some(environment) => self.judge(environment, observed),
            None => self.left.push("what a deploy would change beside that was not compared".to_owned()),
        }
    }

    fn desired(&self, environment: Environment) -> Desired {
        let release = Release {
            id: "init".to_owned(),
            actor: "init".to_owned(),
            images: self.images.clone(),
            ..Release::default()
        };
        Desired { environment, release }
    }

    /// Lays lines over those of a service.
    fn lay(&mut self, key: &ServiceKey, lines: Map<String, Value>) {
        let service = &mut self.file["service"][&key.0];
        for (name, value) in lines {
            match (name.as_str(), value) {
                ("aws", Value::Object(tables)) => {
                    for (table, members) in tables {
                        let mut all = Members::of(service["aws"][&table].take());
                        all.lay(&Members::of(members));
                        service["aws"][&table] = all.wire();
                    }
                }
                (_, value) => lay(&mut service[&name], value),
            }
        }
    }

    /// What the plan of the file would change all the same.
    fn judge(&mut self, environment: Environment, observed: &Observed) {
        let mut observed = observed.clone();
        for service in &environment.services {
            for sidecar in &service.sidecars {
                let named = sidecar.image.as_deref().and_then(|image| ImageName::parse(image).ok());
                if let Some(name) = named.filter(|name| name.digest.is_none()) {
                    let what = format!("{}.sidecar.{}", service.key, sidecar.container.name);
                    self.left.push(by_tag(&what, &name.to_string()));
                }
            }
        }
        for service in environment.services.iter().filter(|service| self.tagged.contains(&service.key)) {
            let Some(running) = observed.services.get_mut(&service.key) else { continue };
            let found = running.task_definition.spec.of_container(&service.container.name, "image");
            let found = found.and_then(Value::as_str).unwrap_or_default().to_owned();
            self.left.push(by_tag(&service.key.0, &found));
            let written = service.image_name().map_or_else(|| found.clone(), |name| name.written);
            let spec = running.task_definition.spec.clone();
            running.task_definition.spec =
                spec.with_images(|image| (image == found).then(|| written.clone()));
        }
        let plan = plan(&self.desired(environment), &observed);
        self.left.extend(plan.refusals.iter().map(|refusal| refusal.what.clone()));
        self.left.extend(plan.steps().map(would));
        self.kept(&plan);
    }

    /// What the plan leaves, because this tool did not make it.
    fn kept(&mut self, plan: &Plan) {
        let kept = plan.notes.iter().filter(|note| note.contains("kept, not created by this tool"));
        self.left.extend(kept.cloned());
    }

    pub fn text(&self) -> String {
        let mut text = format!(
            "#:schema ./xtask/deploy/deploy.schema.json\n#\n# What runs in {}, as `cargo xtask init` found it.\n\
             # `cargo xtask plan --env {}` shows what a deploy would change. Times are in seconds.\n",
            self.head, self.env
        );
        if !self.left.is_empty() {
            text.push_str("#\n# This file does not say:\n");
            for left in &self.left {
                text.push_str(&format!("# - {}\n", redact::text(left).replace('\n', " ")));
            }
        }
        let (tables, plain): (Map<_, _>, Map<_, _>) =
            self.file.clone().into_iter().partition(|(_, it)| it.is_object());
        text.push('\n');
        for part in [plain, tables] {
            write(&mut text, &mut Vec::new(), &part, &|path| self.comments.get(&path.join(".")).cloned());
        }
        text
    }
}

/// A rule of deploy.toml is against what runs: the file is one to correct.
fn refused(found: &config::Finding) -> String {
    let config::Finding { code, path, message, label, .. } = found;
    let at = path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
    let label = label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
    format!("the file is refused until this is changed: {at}{message}{label} [{code}]")
}

fn by_tag(what: &str, image: &str) -> String {
    format!(
        "{what}: runs {image}, whatever that is at a task's start; the next deploy rolls to the digest that it is then"
    )
}

fn would(step: &Step) -> String {
    let title = step.action.title();
    match &step.why {
        Why::Changed(changes) => {
            let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
            format!("a deploy would {title}: {}", fields.join(", "))
        }
        Why::Missing | Why::Because(_) => format!("a deploy would {title}"),
    }
}

/// Objects merge, everything else is replaced.
fn lay(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                lay(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
