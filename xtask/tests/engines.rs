//! Images by real engines, pushed to a real registry, pulled and run by a real Docker.
//!
//! Ignored in a plain `cargo test`, because they need `docker-registry`, Docker, Podman and Buildah: `cargo xtask ci` runs
//! them where these are, and says what it left out where not. It leaves out by name: a test's name has the engines that
//! it needs.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

#[path = "engines/tasks.rs"]
mod tasks;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use deploy::config;
use deploy::model::Architecture;
use xtask::host::{Host, Program};
use xtask::image::registry::{Credential, Error, PushReport, Registry, push};
use xtask::image::{Built, Image, Recipe, Tag, assemble, build, platform};

const USER: &str = "AWS";
const PASSWORD: &str = "right-horse";
/// [`PASSWORD`] by bcrypt, the one hash that the registry takes.
const HTPASSWD: &str = "AWS:$2y$05$abcdefghijklmnopqrstuukAGqk1114ICnhl6dLOh9a3Ti/e0h/ma\n";
const REPOSITORY: &str = "ielts/backend";
/// What the program in the images says.
const WORDS: &str = "it runs";
const ANSWER: Duration = Duration::from_secs(20);

/// A registry on a loopback port that asks for a password, with a folder for all that a test writes.
struct Bench {
    host: Host,
    folder: PathBuf,
    address: String,
    _registry: tokio::process::Child,
}

impl Bench {
    async fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("xtask-engines-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("htpasswd"), HTPASSWD).unwrap();
        let here = folder.display();
        let settings = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {here}/store}}}}\nhttp: {{addr: 127.0.0.1:0}}\n\
             auth: {{htpasswd: {{realm: test, path: {here}/htpasswd}}}}\n"
        );
        std::fs::write(folder.join("registry.yml"), settings).unwrap();
        let log = std::fs::File::create(folder.join("registry.log")).unwrap();
        let registry = tokio::process::Command::new("docker-registry")
            .args(["serve", "registry.yml"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("docker-registry is needed (apt-get install docker-registry)");
        let host = Host::system().unwrap();
        let mut bench = Self { host, folder, address: String::new(), _registry: registry };
        bench.address = tokio::time::timeout(ANSWER, bench.listening())
            .await
            .unwrap_or_else(|_| panic!("{}", bench.log()));
        bench
    }

    /// The address that the registry logs once it takes connections.
    async fn listening(&self) -> String {
        loop {
            let log = self.log();
            if let Some((_, rest)) = log.split_once("listening on ") {
                return rest
                    .split(|c: char| c != '.' && c != ':' && !c.is_ascii_digit())
                    .next()
                    .unwrap()
                    .to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("registry.log")).unwrap()
    }

    /// How many requests that write the registry has answered so far, each failure among them.
    fn writes(&self) -> usize {
        let log = self.log();
        ["\"POST /v2/", "\"PATCH /v2/", "\"PUT /v2/"].iter().map(|verb| log.matches(verb).count()).sum()
    }

    /// A static program that says [`WORDS`] and `more`.
    async fn program(&self, more: &str) -> PathBuf {
        self.compiled(&format!("fn main() {{ println!({WORDS:?}); println!({more:?}); }}")).await
    }

    async fn compiled(&self, text: &str) -> PathBuf {
        let (source, program) = (self.folder.join("program.rs"), self.folder.join("program"));
        std::fs::write(&source, text).unwrap();
        let (source, made) = (source.display().to_string(), program.display().to_string());
        self.run("rustc", &["-C", "target-feature=+crt-static", "-o", &made, &source]).await;
        program
    }

    async fn package(&self, more: &str) -> Image {
        of_program(&self.program(more).await)
    }

    /// Has `engine` build a Dockerfile around [`Self::program`], as a service of a file.
    async fn dockerfile(&self, engine: &str) -> Image {
        self.program(engine).await;
        let text =
            "FROM scratch\nCOPY program /app/program\nUSER 65532:65532\nENTRYPOINT [\"/app/program\"]\n";
        std::fs::write(self.folder.join("Dockerfile"), text).unwrap();
        std::fs::write(self.folder.join(".dockerignore"), "*\n!program\n").unwrap();
        let file = include_str!("../deploy/tests/fixtures/ielts.toml");
        let package = "build = { cargo = \"backend\" }";
        let by_engine =
            format!("build = {{ dockerfile = \"Dockerfile\", context = \".\", engine = \"{engine}\" }}");
        let file = file.replace(package, &by_engine);
        let environment = config::load("deploy.toml", &file, Some("prod")).unwrap().environment;
        let mut service =
            environment.services.iter().find(|service| service.key.0 == "backend").unwrap().clone();
        service.architecture = native();
        let mut images = build(&self.host, &self.folder, &[&service], false, None, &|_| {}).await.unwrap();
        let Some(Built::Here(image)) = images.remove(&service.key) else { panic!("not built") };
        *image
    }

    async fn push(&self, image: &Image, tag: &str, password: &str) -> Result<PushReport, Error> {
        let token = BASE64.encode(format!("{USER}:{password}"));
        let registry = Registry {
            base_url: format!("http://{}", self.address),
            repository: REPOSITORY.to_owned(),
            credential: Some(Credential::of_header(&format!("Basic {token}"))),
        };
        let tag = Tag { name: tag.to_owned(), otherwise: None };
        push(&self.host, &registry, image, &tag, &|_| {}).await
    }

    /// What the image prints when Docker has pulled it by its digest and runs it.
    async fn pulled(&self, image: &Image) -> String {
        let config = self.folder.join("docker");
        std::fs::create_dir_all(&config).unwrap();
        let token = BASE64.encode(format!("{USER}:{PASSWORD}"));
        let text = format!(r#"{{"auths":{{"{}":{{"auth":"{token}"}}}}}}"#, self.address);
        std::fs::write(config.join("config.json"), text).unwrap();
        let config = config.display().to_string();
        let reference = format!("{}/{REPOSITORY}@{}", self.address, image.digest);
        let docker =
            async |args: &[&str]| self.run("docker", &[&["--config", config.as_str()], args].concat()).await;
        docker(&["pull", "--quiet", &reference]).await;
        let said = docker(&["run", "--rm", "--network", "none", &reference]).await;
        docker(&["rmi", &reference]).await;
        said
    }

    async fn run(&self, program: &str, args: &[&str]) -> String {
        let output = self.host.shell.capture(&Program::new(program, args)).await.unwrap();
        let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.exit.success(),
            "{program} {args:?}: {}{}",
            said(&output.stdout),
            said(&output.stderr)
        );
        said(&output.stdout)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn of_program(program: &Path) -> Image {
    let executable = std::fs::read(program).unwrap();
    let platform = platform(native());
    let recipe = Recipe {
        package: "program",
        version: "1",
        port: 8080,
        platform: &platform,
        tmp: false,
        executable: &executable,
    };
    assemble(&recipe).unwrap()
}

fn native() -> Architecture {
    if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X86_64 }
}

#[tokio::test]
#[ignore = "needs docker-registry and Docker: `cargo xtask ci` runs it"]
async fn a_package_s_image_is_pulled_by_docker_by_its_digest_and_runs() {
    let bench = Bench::new("package").await;
    let image = bench.package("as a package").await;
    let report = bench.push(&image, "one", PASSWORD).await.unwrap();
    assert_eq!((report.uploaded_blobs, report.skipped, report.wrote), (3, 0, true));
    assert_eq!(bench.pulled(&image).await, format!("{WORDS}\nas a package\n"));
}

#[tokio::test]
#[ignore = "needs docker-registry: `cargo xtask ci` runs it"]
async fn a_release_that_changed_one_layer_sends_that_layer_and_one_that_changed_nothing_sends_nothing() {
    let bench = Bench::new("again").await;
    let image = bench.package("at first").await;
    bench.push(&image, "one", PASSWORD).await.unwrap();
    let writes = bench.writes();
    // Three blobs, each opened and closed; the manifest under its digest and its tag.
    assert_eq!(writes, 8, "{}", bench.log());
    let report = bench.push(&image, "one", PASSWORD).await.unwrap();
    assert_eq!((report.uploaded_blobs, report.skipped, report.wrote), (0, 3, false));
    assert_eq!(bench.writes(), writes, "{}", bench.log());
    let changed = bench.package("and then").await;
    let report = bench.push(&changed, "two", PASSWORD).await.unwrap();
    assert_eq!(
        (report.uploaded_blobs, report.skipped),
        (2, 1),
        "the layer of the program, and the configuration"
    );
}

#[tokio::test]
#[ignore = "needs docker-registry: `cargo xtask ci` runs it"]
async fn a_wrong_password_is_reported_at_once_and_without_the_password() {
    let bench = Bench::new("password").await;
    let image = bench.package("").await;
    let wrong = "wrong-horse";
    let error = bench.push(&image, "one", wrong).await.unwrap_err();
    let Error::Unauthorized { host, .. } = &error else { panic!("{error:?}") };
    assert_eq!(host, &bench.address);
    let text = format!("{error} {error:?}");
    for secret in [wrong.to_owned(), BASE64.encode(format!("{USER}:{wrong}"))] {
        assert!(!text.contains(&secret), "{text}");
    }
    assert_eq!(bench.writes(), 0, "{}", bench.log());
}

async fn built_pushed_and_pulled(engine: &str) {
    let bench = Bench::new(engine).await;
    let image = bench.dockerfile(engine).await;
    bench.push(&image, "one", PASSWORD).await.unwrap();
    let writes = bench.writes();
    assert_eq!(bench.dockerfile(engine).await.digest, image.digest, "what is there is taken");
    // Without the mark of its inputs the engine is asked, and its own cache has to give the same.
    std::fs::remove_file(bench.folder.join("target/image/backend.inputs")).unwrap();
    let again = bench.dockerfile(engine).await;
    assert_eq!(again.digest, image.digest, "an unchanged Dockerfile gave another image");
    assert!(!bench.push(&again, "one", PASSWORD).await.unwrap().wrote);
    assert_eq!(bench.writes(), writes, "{}", bench.log());
    assert_eq!(bench.pulled(&image).await, format!("{WORDS}\n{engine}\n"));
}

#[tokio::test]
#[ignore = "needs docker-registry and Docker: `cargo xtask ci` runs it"]
async fn what_docker_built_is_pushed_once_and_runs() {
    built_pushed_and_pulled("docker").await;
}

#[tokio::test]
#[ignore = "needs docker-registry, Docker and Podman: `cargo xtask ci` runs it"]
async fn what_podman_built_is_pushed_once_and_docker_runs_it() {
    built_pushed_and_pulled("podman").await;
}

#[tokio::test]
#[ignore = "needs docker-registry, Docker and Buildah: `cargo xtask ci` runs it"]
async fn what_buildah_built_is_pushed_once_and_docker_runs_it() {
    built_pushed_and_pulled("buildah").await;
}
