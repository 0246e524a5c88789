//! What an image is made of.

use super::naming::{Naming, VARIABLE};
use super::{Diagnostic, Findings, Place, Rule, Scope};
use crate::config::suggest;
use crate::model::{Architecture, ImageName, Service, ServiceKey};

pub(super) const RULES: &[Rule] = &[
    Rule::Environment("build", build),
    Rule::EachService("build-platform", build_platform),
    Rule::EachService("build-secret", build_secret),
    Rule::Environment("dockerfile", dockerfile),
    Rule::Environment("package-name", package_name),
];

/// An image is made in one way, of a package or of a Dockerfile, or is named, or is another service's.
fn build(scope: &Scope<'_>, found: &mut Findings) {
    for (service, at) in scope.services() {
        match (&service.image, &service.build.same_as) {
            (Some(image), _) => named(image, &at, found),
            (None, Some(source)) => same_as(scope, service, source, &at.key("build"), found),
            (None, None) => built(service, &at, found),
        }
    }
}

fn named(name: &str, at: &Place<'_>, found: &mut Findings) {
    let image = at.key("image");
    if let Err(what) = ImageName::parse(name) {
        found
            .error(format!("`image` {what}"))
            .at(&image, "in this form")
            .help("write it as `HOST/NAME:TAG` or `HOST/NAME@sha256:DIGEST`; Docker Hub needs no `HOST/`");
    }
    let build = ["cargo", "dockerfile", "same-as"].map(|way| at.key("build").key(way));
    if let Some(build) = build.iter().find(|way| way.written()) {
        found
            .error("`build` and `image` are both set")
            .at(build, "is built")
            .at(&image, "is pulled as it is")
            .help("keep one of the two");
    }
}

fn same_as(
    scope: &Scope<'_>,
    service: &Service,
    source: &ServiceKey,
    build: &Place<'_>,
    found: &mut Findings,
) {
    let at = build.key("same-as");
    let ways = ["cargo", "dockerfile", "context", "target", "args", "secrets", "platform", "cache", "engine"];
    if let Some(way) = ways.iter().map(|way| build.key(way)).find(Place::written) {
        found
            .error("`same-as` takes another service's image, and this builds one")
            .at(way.name(), "builds an image")
            .at(&at, format!("`{source}` builds it"))
            .help("keep one of the two");
    }
    let builders: Vec<&Service> =
        scope.services().map(|(other, _)| other).filter(|other| other.builds()).collect();
    let Some(builder) = builders.iter().find(|other| other.key == *source) else {
        let wrong = found.error(format!("no service `{source}` builds an image"));
        wrong.at(&at, "to be the image of");
        let keys = || builders.iter().map(|other| other.key.0.as_str());
        match suggest::closest(&source.0, keys()) {
            Some(meant) => wrong.meant(&at, meant),
            None if builders.is_empty() => wrong.help("set `build` or `image`"),
            None => wrong.note(format!("services that do: {}", suggest::all(keys()))),
        };
        return;
    };
    if builder.architecture != service.architecture {
        found
            .error(format!("the image of `{source}` is of another architecture"))
            .at(&at, "one image for both")
            .help("give both services the same `architecture`");
    }
}

fn built(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let (build, at) = (&service.build, at.key("build"));
    if build.cargo.is_some() && build.dockerfile.is_some() {
        found
            .error("`cargo` and `dockerfile` are both set")
            .at(at.key("cargo"), "a package")
            .at(at.key("dockerfile"), "a Dockerfile")
            .help("keep one of the two");
    }
    if build.dockerfile.is_some() {
        return;
    }
    let first = |names: &mut dyn Iterator<Item = Place<'_>>| names.next().and_then(|entry| entry.name());
    for place in [
        at.key("context").span(),
        at.key("target").span(),
        at.key("platform").span(),
        first(&mut build.args.keys().map(|name| at.key("args").key(name))),
        first(&mut build.secrets.keys().map(|id| at.key("secrets").key(id))),
        at.key("cache.from.0").or(at.key("cache.to.0")),
        at.key("engine").span(),
    ]
    .into_iter()
    .flatten()
    {
        found
            .error("this setting needs a Dockerfile")
            .at(place, "without a `dockerfile`")
            .note("packages are always compiled in the same way")
            .help("set `dockerfile`, or remove this setting");
    }
}

/// An image is built for the processor that its tasks get.
///
/// Source: ECS RegisterTaskDefinition, runtimePlatform.cpuArchitecture; image-spec v1.1, "Image Index": platform names.
fn build_platform(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let Some(platform) = &service.build.platform else { return };
    let place = at.key("build.platform");
    let mut parts = platform.split('/');
    let named = (parts.next(), parts.next(), parts.next(), parts.next());
    let built = match named {
        (Some("linux"), Some("amd64"), None | Some("v1" | "v2" | "v3" | "v4"), None) => Architecture::X86_64,
        (Some("linux"), Some("arm64"), None | Some("v8"), None) => Architecture::Arm64,
        _ => {
            found
                .error(format!("tasks cannot run on platform `{}`", platform))
                .at(&place, "neither `linux/amd64` nor `linux/arm64`")
                .note("one image is built, and Fargate runs it on one of these")
                .help("remove it: `architecture` decides");
            return;
        }
    };
    if built != service.architecture {
        let wanted = match service.architecture {
            Architecture::X86_64 => "linux/amd64",
            Architecture::Arm64 => "linux/arm64",
        };
        found
            .error("the image is built for another processor than the tasks run on")
            .at(&place, "the image's")
            .at(at.key("architecture"), "the tasks'")
            .note("such a task dies with `exec format error`")
            .help(format!("remove it, or write `{wanted}`"));
    }
}

const SECRET_ID: Naming = Naming {
    what: "name for a build's secret",
    length: 1..=64,
    allowed: |c| c.is_ascii_alphanumeric() || "_.-".contains(c),
    law: "letters, digits, `_`, `.` and `-`: it is a file's name under /run/secrets",
    form: |name| name.starts_with('.').then_some("begins with a dot"),
};

/// A build's secret says where its value is read from, in words that every engine understands.
///
/// Source: `docker buildx build --secret`: `id=…,env=…` or `id=…,src=…`, separated by commas.
fn build_secret(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for (id, secret) in &service.build.secrets {
        let at = at.key("build.secrets").key(id);
        SECRET_ID.check(id, at.name(), found);
        match (&secret.env, &secret.file) {
            (Some(_), Some(_)) => {
                found
                    .error(format!("`{}` has two sources", id))
                    .at(at.key("env"), "a variable")
                    .at(at.key("file"), "a file")
                    .help("keep one of the two");
            }
            (None, None) => {
                found
                    .error(format!("`{}` has no source", id))
                    .at(&at, "neither `env` nor `file`")
                    .help("write `{ env = \"VARIABLE\" }` or `{ file = \"PATH\" }`");
            }
            (Some(env), None) => {
                VARIABLE.check(env, at.key("env"), found);
            }
            (None, Some(file)) if file.contains([',', '"', '\n']) => {
                found
                    .error("engines cannot take a file with such a name")
                    .at(at.key("file"), "with a comma, a quote or a line break")
                    .help("give the file another name");
            }
            (None, Some(_)) => {}
        }
    }
}

/// A Dockerfile, and the folder that it may copy from, are there.
fn dockerfile(scope: &Scope<'_>, found: &mut Findings) {
    let (is_file, is_folder) = (scope.workspace.is_file, scope.workspace.is_folder);
    for (service, at) in scope.services() {
        let (build, at) = (&service.build, at.key("build"));
        let (file, place) = (build.file(), at.key("dockerfile"));
        if file.is_empty() {
            continue;
        }
        if !is_file(file) {
            let folder = is_folder(file);
            let wrong = missing("file", file, found);
            wrong.at(&place, if folder { "a folder" } else { "no such file" });
            let inside = format!("{}/Dockerfile", file.trim_end_matches('/'));
            let meant = [inside, format!("{}/Dockerfile", service.key), "Dockerfile".to_owned()];
            if let Some(meant) = meant.into_iter().find(|path| is_file(path)) {
                wrong.replace(&place, format!("\"{meant}\""), format!("there is `{meant}`"));
            }
        }
        if at.key("context").written() && !is_folder(&build.context) {
            missing("folder", &build.context, found).at(at.key("context"), "no such folder");
        }
    }
}

fn missing<'a>(what: &str, path: &str, found: &'a mut Findings) -> &'a mut Diagnostic {
    found.error(format!("there is no {what} `{path}`")).note("the path begins at the top of the workspace")
}

const PACKAGE: Naming = Naming {
    what: "package name",
    length: 1..=64,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
    law: "letters, digits, `-` and `_`, beginning with a letter (Cargo reference, the `name` field)",
    form: |name| {
        (!name.starts_with(|c: char| c.is_ascii_alphabetic())).then_some("does not begin with a letter")
    },
};

/// What `build.cargo` names can be a package of the workspace.
///
/// The name becomes a path in the image (`/app/NAME`): nothing but a package name may get there.
fn package_name(scope: &Scope<'_>, found: &mut Findings) {
    for (service, at) in scope.services() {
        if let Some(package) = &service.build.cargo {
            let at = at.key("build.cargo");
            if PACKAGE.check(package, &at, found) && scope.lacks_package(package) {
                unknown_package(scope, package, &at, found);
            }
        }
    }
}

fn unknown_package(scope: &Scope<'_>, package: &str, at: &Place<'_>, found: &mut Findings) {
    let known = (scope.workspace.packages)();
    let known = || known.iter().map(String::as_str);
    let wrong = found.error(format!("the workspace has no package `{package}`")).at(at, "no such package");
    match suggest::closest(package, known()) {
        Some(meant) => wrong.meant(at, meant),
        None => wrong.note(format!("its packages are {}", suggest::all(known()))),
    };
}
