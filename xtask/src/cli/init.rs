//! `init`: a `deploy.toml` for a repository that has none, or for what runs in a cluster.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use deploy::event::ExitCode;
use deploy::init::{Found, LONGEST_KEY, Source, start};
use serde_json::json;

use super::{Failure, Global, args, observed, session};
use crate::host::{Host, Workspace};
use crate::observe;
use crate::report::{Format, Recorder, Screen, print_result, print_text};

/// How far below the top Dockerfiles are looked for: `services/backend/Dockerfile`.
const DEPTH: usize = 3;
/// Folders that hold what others wrote.
const FOREIGN: [&str; 5] = ["target", "node_modules", "vendor", "build", "dist"];
/// The port of an image that exposes none.
const PORT: u16 = 8080;
/// Files of one image, the one that is deployed first.
const ORDER: [&str; 6] = [
    "Dockerfile",
    "Containerfile",
    "Dockerfile.prod",
    "Dockerfile.production",
    "Containerfile.prod",
    "Containerfile.production",
];

pub(super) async fn run(host: &Host, global: &Global, asked: &args::Init) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find(&host.env).map_err(|error| Failure::from_error(&error))?;
    let root = &workspace.root;
    let file = global.config.clone().unwrap_or_else(|| root.join("deploy.toml"));
    // Before an account is read: nobody waits for a file that cannot be written.
    if file.exists() {
        return Err(exists(&file));
    }
    let (found, left) = sources(host, &workspace)?;
    if let Some(cluster) = &asked.cluster {
        return live(host, global, asked, cluster, (&workspace, &file), &found).await;
    }
    if found.is_empty() {
        return Err(Failure::usage("found no Dockerfile and no package with a program to deploy").hint(
            "write a Dockerfile in the folder of each service (docs/own-applications.md), then run it again",
        ));
    }
    let app = root.file_name().and_then(|name| name.to_str()).map(words).filter(|app| !app.is_empty());
    // As long as the key may be.
    let app: String = app.unwrap_or_else(|| "app".to_owned()).chars().take(128).collect();
    write(&file, &start(app.trim_end_matches('-'), &found))?;
    let shown = file.strip_prefix(root).unwrap_or(&file).display();
    let made: Vec<_> =
        found.iter().map(|service| format!("{} of {}", service.key, of(&service.source))).collect();
    match global.output {
        Format::Json => {
            print_result(&json!({ "file": file, "services": made, "left": left }).to_string());
        }
        _ => {
            print_text(&format!("wrote {shown}: {}", made.join(", ")));
            left.iter().for_each(|left| print_text(&format!("  not in it: {left}")));
            print_text(
                "next: `cargo xtask deploy` tries it on the embedded cloud; for AWS, change the lines with CHANGE",
            );
        }
    }
    Ok(ExitCode::Done)
}

/// What the repository has to make images of, and what was left out.
fn sources(host: &Host, workspace: &Workspace) -> Result<(Vec<Found>, Vec<String>), Failure> {
    let (found, left) = dockerfiles(&workspace.root);
    if !found.is_empty() {
        return Ok((found, left));
    }
    let packages = workspace.packages(&host.shell).map_err(|error| Failure::from_error(&error))?;
    Ok((packages.iter().filter_map(|package| program(&workspace.root, package)).collect(), left))
}

/// A file for what runs in a cluster.
async fn live(
    host: &Host,
    global: &Global,
    asked: &args::Init,
    cluster: &str,
    (workspace, file): (&Workspace, &Path),
    sources: &[Found],
) -> Result<ExitCode, Failure> {
    let of_env = || ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| host.env.get(name));
    let region = asked.region.as_deref().or_else(of_env).ok_or_else(|| {
        Failure::usage("the region of the cluster is not known")
            .hint("name it with `--region`, such as eu-central-1")
    })?;
    let events = Recorder::new(host.clock.clone(), Screen::new(Format::Text, global.verbose, host.terminal));
    let aws = session::connect(host, &events, region, None).await;
    let draft = observe::draft(&aws, region, cluster, &asked.services, sources).await;
    let draft = draft.map_err(|error| observed::failure(&error))?;
    write(file, &draft.text())?;
    let shown = file.strip_prefix(&workspace.root).unwrap_or(file).display();
    match global.output {
        Format::Json => print_result(&json!({ "file": file, "left": draft.left }).to_string()),
        _ => {
            print_text(&format!("wrote {shown}: {}", draft.services().join(", ")));
            for left in &draft.left {
                print_text(&format!("  not in it: {}", deploy::redact::text(left)));
            }
            let check = if draft.text().contains("CHANGE") { "check the lines with CHANGE; " } else { "" };
            print_text(&format!(
                "next: {check}`cargo xtask plan --env {}` shows what a deploy would change",
                draft.env
            ));
        }
    }
    Ok(ExitCode::Done)
}

fn exists(file: &Path) -> Failure {
    Failure::usage(format!("{} exists already", file.display()))
        .hint("move it away, or write another file with `--config FILE`")
}

/// Writes a file that is not there yet: somebody's own is never replaced.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let made = fs::File::create_new(file).and_then(|mut made| made.write_all(text.as_bytes()));
    made.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(file),
        _ => Failure::usage(format!("cannot write {}: {error}", file.display())),
    })
}

fn of(source: &Source) -> &str {
    match source {
        Source::Dockerfile { file, .. } => file,
        Source::Package(package) => package,
    }
}

/// A service for each Dockerfile, named after its folder, and what was left out.
fn dockerfiles(root: &Path) -> (Vec<Found>, Vec<String>) {
    let (mut files, mut left, mut folders) = (Vec::new(), Vec::new(), vec![(root.to_owned(), 0)]);
    while let Some((folder, depth)) = folders.pop() {
        let mut names = Vec::new();
        // What cannot be listed is nobody's service.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let skipped = name.starts_with('.') || name == "xtask" || FOREIGN.contains(&name.as_str());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEPTH && !skipped => {
                    folders.push((entry.path(), depth + 1))
                }
                Ok(kind) if kind.is_file() && of_image(&name) => names.push(name),
                _ => {}
            }
        }
        let inside = folder.strip_prefix(root).unwrap_or(&folder).to_string_lossy().replace('\\', "/");
        let at = |name: &str| if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
        let (own, named): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| !name.ends_with(".Dockerfile"));
        // Of several for one image the first: `Dockerfile` itself, and that of production before that of a machine.
        let order = |name: &String| ORDER.iter().position(|it| it == name).unwrap_or(ORDER.len());
        let mut own: Vec<String> = own;
        own.sort_by_key(|name| (order(name), name.clone()));
        if let Some((first, others)) = own.split_first() {
            let name = folder.file_name().map(|name| key(&name.to_string_lossy())).unwrap_or_default();
            files.push((at(first), name, folder.clone()));
            left.extend(others.iter().map(|other| format!("{}: {} is taken", at(other), at(first))));
        }
        for name in named {
            files.push((at(&name), key(name.trim_end_matches(".Dockerfile")), folder.clone()));
        }
    }
    files.sort();
    let mut found: Vec<Found> = Vec::new();
    for (file, name, folder) in files {
        let Ok(text) = fs::read_to_string(root.join(&file)) else {
            left.push(format!("{file}: cannot be read"));
            continue;
        };
        let context = file.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
        // Two folders of one name are told apart by the folder above.
        let is_free = |key: &str| !key.is_empty() && found.iter().all(|other| other.key != key);
        let above = key(&context.replace('/', "-"));
        let wanted = [name.clone(), above, "service".to_owned()];
        let numbered = (2..).map(|n| format!("{}-{n}", name.chars().take(18).collect::<String>()));
        let free = wanted.into_iter().find(|key| is_free(key));
        let Some(key) = free.or_else(|| numbered.into_iter().find(|key| is_free(key))) else { continue };
        // `EXPOSE 8080/tcp`; Dockerfile reference, EXPOSE.
        let exposed = text.lines().filter_map(|line| line.trim().strip_prefix("EXPOSE "));
        let port = exposed.filter_map(|ports| ports.split([' ', '/']).next()?.parse().ok()).next();
        let source = Source::Dockerfile { file, context };
        found.push(Found { key, source, port: port.unwrap_or(PORT), health: health(&folder) });
    }
    found.sort_by(|one, other| one.key.cmp(&other.key));
    (found, left)
}

/// `Dockerfile`, `Dockerfile.prod`, `api.Dockerfile`, `Containerfile`; `Dockerfile.dockerignore` is none.
fn of_image(name: &str) -> bool {
    let plain = ["Dockerfile", "Containerfile"]
        .iter()
        .any(|file| name.strip_prefix(file).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
    (plain || name.ends_with(".Dockerfile")) && !name.ends_with(".dockerignore")
}

/// A package that builds a program; the tool's own do not count.
fn program(root: &Path, package: &crate::host::Package) -> Option<Found> {
    let folder = package.manifest_path.parent()?;
    let own = folder.starts_with(root.join("xtask"));
    (!own && folder.join("src/main.rs").is_file()).then(|| Found {
        key: key(&package.name),
        source: Source::Package(package.name.clone()),
        port: PORT,
        health: "/".to_owned(),
    })
}

/// Where the frameworks that are recognised answer, and the front page for all others.
fn health(folder: &Path) -> String {
    let says =
        |file: &str, word: &str| fs::read_to_string(folder.join(file)).is_ok_and(|text| text.contains(word));
    let actuator = ["pom.xml", "build.gradle", "build.gradle.kts"]
        .into_iter()
        .any(|file| says(file, "spring-boot-starter-actuator"));
    if actuator { "/actuator/health".to_owned() } else { "/".to_owned() }
}

/// A name of lower-case letters, digits and single hyphens, as all of AWS's names may be.
fn words(name: &str) -> String {
    let plain = name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").trim_start_matches(|c: char| c == '-' || c.is_ascii_digit()).to_owned()
}

/// The same for a service, short enough for the names that are made of it.
fn key(name: &str) -> String {
    words(name).chars().take(LONGEST_KEY).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_team_s_monorepo_gets_a_service_for_each_dockerfile() {
        let root = std::env::temp_dir().join(format!("xtask-init-{}", std::process::id()));
        let write = |file: &str, text: &str| {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write("backend/Dockerfile", "FROM scratch\nEXPOSE 9090/tcp\n");
        write(
            "backend/build.gradle",
            "implementation 'org.springframework.boot:spring-boot-starter-actuator'",
        );
        write("apps/Web_Shop/Dockerfile", "FROM scratch\n");
        write("web/node_modules/x/Dockerfile", "FROM scratch\n");
        write("xtask/sim/Dockerfile", "FROM scratch\n");
        let (found, left) = dockerfiles(&root);
        assert_eq!(left, [""; 0]);
        let shown: Vec<_> = found
            .iter()
            .map(|one| (one.key.as_str(), of(&one.source), one.port, one.health.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("backend", "backend/Dockerfile", 9090, "/actuator/health"),
                ("web-shop", "apps/Web_Shop/Dockerfile", PORT, "/"),
            ]
        );
        let file = root.join("deploy.toml");
        super::write(&file, "a").unwrap();
        let error = super::write(&file, "b").unwrap_err();
        assert!(error.error.contains("exists already"), "{}", error.error);
        assert_eq!(fs::read_to_string(&file).unwrap(), "a", "somebody's file was replaced");
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn whatever_dockerfiles_are_called_each_is_a_service_or_named() {
        let root = std::env::temp_dir().join(format!("xtask-files-{}", std::process::id()));
        for file in [
            "backend/Dockerfile",
            "services/backend/Dockerfile",
            "apps/web-app/Dockerfile.prod",
            "apps/web-app/Dockerfile.dev",
            "docker/api.Dockerfile",
            "docker/jobs.Dockerfile",
            "cron/Containerfile",
            "cron/Containerfile.dockerignore",
            "An (Odd)  name that is far too long/Dockerfile",
            "日本/Dockerfile",
        ] {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "FROM scratch\n").unwrap();
        }
        let (found, left) = dockerfiles(&root);
        fs::remove_dir_all(&root).unwrap();
        let shown: Vec<_> = found.iter().map(|one| (one.key.as_str(), of(&one.source))).collect();
        assert_eq!(
            shown,
            [
                ("an-odd-name-that-is-fa", "An (Odd)  name that is far too long/Dockerfile"),
                ("api", "docker/api.Dockerfile"),
                ("backend", "backend/Dockerfile"),
                ("cron", "cron/Containerfile"),
                ("jobs", "docker/jobs.Dockerfile"),
                ("service", "日本/Dockerfile"),
                ("services-backend", "services/backend/Dockerfile"),
                ("web-app", "apps/web-app/Dockerfile.prod"),
            ]
        );
        assert_eq!(left, ["apps/web-app/Dockerfile.dev: apps/web-app/Dockerfile.prod is taken"]);
        let text = start(&words("My Super_Long.Repository  Name that is long"), &found);
        for env in ["local", "prod"] {
            deploy::config::load("deploy.toml", &text, Some(env))
                .unwrap_or_else(|report| panic!("{report}\n{text}"));
        }
    }
}
