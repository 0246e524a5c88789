//! Builds by programs that stand in for engines: what they are asked, and what is made of what they give.
#![expect(clippy::unwrap_used, reason = "a stage that cannot be set must fail")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use deploy::model::{BuildCache, BuildSecret, ImageDigest};
use futures_util::future::BoxFuture;

use super::*;
use crate::host::{Env, Shell};
use crate::image::platform;

#[path = "unchanged_tests.rs"]
mod unchanged;

use unchanged::{Registry, digest_of};

/// Builds the image `id` and saves an archive with that in its layer; prints what it was asked. The file `version` holds what
/// it answers to `--version`, and it has buildx where there is a file `buildx`. `meanwhile` happens during a build.
const ENGINE: &str = r#"#!/bin/sh
here=$(dirname "$0")
case "$1 $2" in
"--version ") cat "$here/version"; exit 0 ;;
"buildx version") [ -f "$here/buildx" ]; exit ;;
esac
echo "$(basename "$0") $*" >> "$here/asked"
for fails in "$here/fails" "$here/fails-$2"; do
    [ -f "$fails" ] && { cat "$fails" >&2; exit 1; }
done
[ "$2" = build ] || [ "$1" = build ] && [ -f "$here/prints" ] && cat "$here/prints"
[ "$1" = build ] && [ -f "$here/meanwhile" ] && (cd "$here" && . ./meanwhile)
echo "$*" > "$here/last"
for word in "$@"; do
    case $last in
    --iidfile) printf 'sha256:%s\n' "$(cat "$here/id")" > "$word" ;;
    --metadata-file) cat "$here/metadata" > "$word" ;;
    --output) cp "$here/image.tar" "$word" ;;
    esac
    last=$word
done
case "$*" in "image inspect"*RepoDigests*) cat "$here/digests" 2>/dev/null; exit ;; esac
case "$1 $2" in "image inspect") cat "$here/base" 2>/dev/null; exit ;; esac
case $1 in push) cp "$here/image.tar" "${3#docker-archive:}" ;; esac
"#;

struct Bench {
    folder: PathBuf,
    host: Host,
    no_cache: bool,
    /// What machines share, where this one is not alone.
    registry: Option<Arc<Mutex<Registry>>>,
}

impl Bench {
    fn new(name: &str, engines: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("xtask-engine-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for engine in engines {
            let path = folder.join(engine);
            fs::write(&path, ENGINE).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let env = Env::of([("PATH", folder.to_str().unwrap())]);
        let host = Host { shell: Shell::system(&env), env, ..Host::system().unwrap() };
        let bench = Self { host, folder, no_cache: false, registry: None };
        bench.image("one");
        fs::create_dir(bench.folder.join("web")).unwrap();
        // What is fetched is never known to be unchanged: engines are asked each time.
        bench.says("web/Dockerfile", "FROM scratch\nADD https://example.com/x /\n");
        bench.says("version", "Docker version 28.2.2, build e6534b4");
        bench
    }

    /// What the next build gives.
    fn image(&self, content: &str) {
        fs::write(self.folder.join("id"), content).unwrap();
        let config = br#"{"os":"linux","architecture":"amd64"}"#;
        let manifest = br#"[{"Config":"c","Layers":["l"]}]"#;
        let mut archive = tar::Builder::new(fs::File::create(self.folder.join("image.tar")).unwrap());
        for (name, bytes) in [("c", &config[..]), ("manifest.json", &manifest[..]), ("l", content.as_bytes())]
        {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append_data(&mut header, name, bytes).unwrap();
        }
        archive.into_inner().unwrap();
    }

    async fn build(&self, engine: Option<Engine>) -> Result<Image, Error> {
        self.made(&Build { engine, ..Self::dockerfile() }).await.0
    }

    /// The image, and what was reported meanwhile.
    async fn made(&self, dockerfile: &Build) -> (Result<Image, Error>, Vec<String>) {
        let (service, events) = (ServiceKey("web".to_owned()), Mutex::new(Vec::new()));
        let on_event = |event: BuildEvent<'_>| {
            events.lock().unwrap().push(match event {
                BuildEvent::Line { line, .. } => line.to_owned(),
                BuildEvent::Unchanged { .. } => "unchanged".to_owned(),
                BuildEvent::Noted { text, .. } => text.to_owned(),
            });
        };
        let job = Job {
            workspace: &self.folder,
            service: &service,
            dockerfile,
            architecture: Architecture::X86_64,
            no_cache: self.no_cache,
        };
        let base = |image: String| -> BoxFuture<'_, _> {
            let registry = self.registry.clone().unwrap();
            Box::pin(async move { registry.lock().unwrap().bases.get(&image).copied().map(digest_of) })
        };
        let made = |_, inputs: String| -> BoxFuture<'_, _> {
            let registry = self.registry.clone().unwrap();
            Box::pin(async move { registry.lock().unwrap().made.get(&inputs).cloned() })
        };
        let shared = self.registry.as_ref().map(|_| Shared { base: &base, made: &made });
        let image = match build(&self.host, &job, shared.as_ref(), &on_event).await {
            Ok(Built::Here(image)) => Ok(*image),
            Ok(Built::There(digest)) => {
                events.lock().unwrap().push(format!("there {digest}"));
                Err(Error::Interrupted("there".to_owned()))
            }
            Err(error) => Err(error),
        };
        (image, events.into_inner().unwrap())
    }

    fn dockerfile() -> Build {
        Build {
            cargo: None,
            same_as: None,
            dockerfile: Some("web/Dockerfile".to_owned()),
            context: "web".to_owned(),
            target: Some("production".to_owned()),
            args: [("NODE_VERSION".to_owned(), "22".to_owned())].into(),
            secrets: BTreeMap::new(),
            platform: None,
            cache: BuildCache::default(),
            engine: None,
        }
    }

    /// Writes a file that steers the engines.
    fn says(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
    }

    /// The arguments of the last command.
    fn last(&self) -> String {
        fs::read_to_string(self.folder.join("last")).unwrap().trim().to_owned()
    }

    /// The first words of what engines were asked since the last look.
    fn asked(&self) -> Vec<String> {
        let path = self.folder.join("asked");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        let words = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect()
    }
}

#[tokio::test]
async fn an_unchanged_image_is_not_taken_out_of_the_engine_again() {
    let bench = Bench::new("again", &["docker"]);
    let first = bench.build(None).await.unwrap();
    assert_eq!(bench.asked(), ["docker build", "docker save"]);
    assert_eq!(first.platform, platform(Architecture::X86_64));
    assert_eq!(bench.build(None).await.unwrap(), first);
    assert_eq!(bench.asked(), ["docker build"]);
    bench.image("two");
    let changed = bench.build(None).await.unwrap();
    assert_ne!(changed.digest, first.digest);
    assert_eq!(bench.asked(), ["docker build", "docker save"]);
}

#[tokio::test]
async fn a_layout_that_was_damaged_is_not_pushed() {
    let bench = Bench::new("damaged", &["docker"]);
    let first = bench.build(None).await.unwrap();
    let blobs = bench.folder.join("target/image/oci/web/blobs/sha256");
    fs::write(blobs.join(first.layers[0].digest().trim_start_matches("sha256:")), "cut off").unwrap();
    bench.asked();
    assert_eq!(bench.build(None).await.unwrap(), first);
    assert_eq!(bench.asked(), ["docker build", "docker save"]);
}

#[tokio::test]
async fn what_another_build_left_in_the_layout_is_not_taken_for_the_engine_s_image() {
    let bench = Bench::new("other", &["docker"]);
    let first = bench.build(None).await.unwrap();
    let recipe = crate::image::Recipe {
        package: "web",
        version: "1",
        port: 80,
        platform: &platform(Architecture::X86_64),
        tmp: false,
        executable: b"a package",
    };
    let package = crate::image::assemble(&recipe).unwrap();
    layout::write(&bench.folder.join("target/image/oci/web"), &package).unwrap();
    assert_eq!(bench.build(None).await.unwrap(), first);
}

#[tokio::test]
async fn every_engine_gives_the_same_image_and_docker_is_tried_first() {
    let bench = Bench::new("three", &["docker", "podman", "buildah"]);
    let image = bench.build(None).await.unwrap();
    for (engine, save) in
        [(Engine::Docker, "docker save"), (Engine::Podman, "podman save"), (Engine::Buildah, "buildah push")]
    {
        let _ = fs::remove_dir_all(bench.folder.join("target"));
        bench.asked();
        assert_eq!(bench.build(Some(engine)).await.unwrap(), image);
        assert_eq!(bench.asked()[1], save);
    }
}

#[tokio::test]
async fn docker_without_buildx_is_not_asked_for_buildkit() {
    let bench = Bench::new("kinds", &["docker"]);
    let kind =
        async || builder::choose(&bench.host, None).await.map(|found| (found.engine, found.kind)).unwrap();
    assert_eq!(kind().await, (Engine::Docker, Kind::Classic));
    bench.says("version", "Docker version 20.10.24+dfsg1, build 297e128");
    assert_eq!(kind().await, (Engine::Docker, Kind::BuildKit));
    bench.says("version", "podman version 5.4.0");
    assert_eq!(kind().await, (Engine::Podman, Kind::Buildah));
    bench.says("version", "Docker version 28.2.2, build e6534b4");
    bench.says("buildx", "");
    assert_eq!(kind().await, (Engine::Docker, Kind::Buildx));
    let env = Env::of([("PATH", bench.folder.to_str().unwrap()), ("DOCKER_BUILDKIT", "0")]);
    let host = Host { env, ..bench.host.clone() };
    assert_eq!(builder::choose(&host, None).await.unwrap().kind, Kind::Classic);
}

/// docker/buildx#3952: such a build writes the digest of the configuration as the image's id.
#[tokio::test]
async fn an_image_in_docker_s_containerd_store_is_found_by_its_manifest() {
    let bench = Bench::new("containerd", &["docker"]);
    bench.says("buildx", "");
    bench.says("metadata", r#"{"containerimage.digest":"sha256:manifest"}"#);
    bench.says("fails-inspect", "No such image: sha256:one");
    bench.build(None).await.unwrap();
    assert_eq!(bench.asked(), ["docker buildx", "docker image", "docker save"]);
    assert!(bench.last().ends_with("sha256:manifest"), "{}", bench.last());
}

#[tokio::test]
async fn a_build_s_secret_reaches_neither_arguments_nor_lines() {
    let bench = Bench::new("secret", &["docker"]);
    bench.says("buildx", "");
    bench.says("metadata", "{}");
    bench.says("npmrc", "token=hunter2hunter2\n");
    bench.says("prints", "installing with token=hunter2hunter2");
    let secrets = [("npm", "npmrc")].map(|(id, file)| {
        (id.to_owned(), BuildSecret { file: Some(file.to_owned()), ..BuildSecret::default() })
    });
    let dockerfile = Build { secrets: secrets.into(), ..Bench::dockerfile() };
    let (image, events) = bench.made(&dockerfile).await;
    image.unwrap();
    assert_eq!(events, ["installing with ***"]);
    let asked = fs::read_to_string(bench.folder.join("asked")).unwrap();
    assert!(asked.contains("--secret id=npm,src=npmrc ") && !asked.contains("hunter2"), "{asked}");
    bench.says("fails", "token=hunter2hunter2 is not valid");
    let error = bench.made(&dockerfile).await.0.unwrap_err().to_string();
    assert!(error.ends_with("*** is not valid"), "{error}");
}

#[tokio::test]
async fn a_build_that_would_lack_its_secret_does_not_begin() {
    let bench = Bench::new("unset", &["docker", "podman"]);
    let secrets =
        [("npm".to_owned(), BuildSecret { env: Some("NPM_TOKEN".to_owned()), ..BuildSecret::default() })];
    let dockerfile = Build { secrets: secrets.into(), ..Bench::dockerfile() };
    let error = bench.made(&dockerfile).await.0.unwrap_err();
    assert!(
        error.to_string().ends_with("Docker's classic builder knows none: BuildKit is needed"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("buildx"));
    let podman = Build { engine: Some(Engine::Podman), ..dockerfile };
    let error = bench.made(&podman).await.0.unwrap_err();
    let expected = "no image of web: the build's secret `npm` is not there: the environment variable NPM_TOKEN is not set";
    assert_eq!(error.to_string(), expected);
    assert_eq!(bench.asked(), [""; 0]);
}

#[tokio::test]
async fn a_machine_of_another_processor_builds_for_the_one_that_the_tasks_have() {
    let bench = Bench::new("platform", &["docker", "podman"]);
    let cache = BuildCache { from: vec!["type=gha".to_owned()], to: vec!["type=gha,mode=max".to_owned()] };
    let dockerfile = Build { cache, ..Bench::dockerfile() };
    bench.says("buildx", "");
    bench.says("metadata", "{}");
    bench.made(&dockerfile).await.0.unwrap();
    let asked = fs::read_to_string(bench.folder.join("asked")).unwrap();
    let options = "--platform linux/amd64 --cache-from type=gha --cache-to type=gha,mode=max web";
    assert!(asked.contains(options), "{asked}");
    let podman =
        Build { engine: Some(Engine::Podman), platform: Some("linux/amd64/v3".to_owned()), ..dockerfile };
    let (image, events) = bench.made(&podman).await;
    image.unwrap();
    assert_eq!(events, ["Buildah cannot use the cache type=gha type=gha,mode=max"]);
    let asked = fs::read_to_string(bench.folder.join("asked")).unwrap();
    assert!(asked.contains("--platform linux/amd64/v3 --format docker --layers web"), "{asked}");
}

#[tokio::test]
async fn what_is_missing_stopped_or_failing_is_distinguished() {
    let none = Bench::new("none", &[]);
    let error = none.build(None).await.unwrap_err();
    assert!(error.to_string().contains("neither docker, nor podman, nor buildah"), "{error}");
    assert!(error.hint().is_some());
    let bench = Bench::new("fails", &["docker"]);
    let elsewhere = Build { dockerfile: Some("web/Dockerfile.prod".to_owned()), ..Bench::dockerfile() };
    let error = bench.made(&elsewhere).await.0.unwrap_err();
    assert_eq!(error.to_string(), "no image of web: there is no web/Dockerfile.prod");
    assert!(error.hint().is_some() && bench.asked().is_empty());
    let error = bench.build(Some(Engine::Podman)).await.unwrap_err();
    assert_eq!(error.to_string(), "no image of web: podman is not installed, or not on PATH");
    let fails = bench.folder.join("fails");
    fs::write(&fails, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.").unwrap();
    let error = bench.build(None).await.unwrap_err();
    assert_eq!(error.to_string(), "no image of web: docker is installed, and its daemon does not answer");
    let said =
        "failed to dial gRPC: cannot connect to the Docker daemon. Is 'docker daemon' running on this host?";
    fs::write(&fails, said).unwrap();
    let error = bench.build(None).await.unwrap_err();
    assert!(error.to_string().ends_with("its daemon does not answer") && error.hint().is_some(), "{error}");
    let refused = "ERROR: permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock";
    fs::write(&fails, refused).unwrap();
    let error = bench.build(None).await.unwrap_err();
    assert!(error.to_string().ends_with("this user may not talk to its daemon"), "{error}");
    fs::write(&fails, "Step 1/1 : RUN --mount=type=cache x\nthe --mount option requires BuildKit.").unwrap();
    let error = bench.build(None).await.unwrap_err();
    let expected = "no image of web: docker could not build it; the step `[1/1] RUN --mount=type=cache x` failed:\n\
         the --mount option requires BuildKit.";
    assert_eq!(error.to_string(), expected);
    assert!(error.hint().unwrap().starts_with("install buildx"));
    let lines: Vec<String> = (1..=50).map(|number| format!("line {number}")).collect();
    fs::write(&fails, lines.join("\n")).unwrap();
    let text = bench.build(None).await.unwrap_err().to_string();
    assert!(text.ends_with("line 50") && text.contains("line 31") && !text.contains("line 30"), "{text}");
}
