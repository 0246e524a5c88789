//! Real builds of a tiny workspace: what cargo, the linker and the assembler make of it together.

use std::io::Read as _;
use std::sync::Mutex;

use flate2::read::GzDecoder;

use super::*;
#[cfg(unix)]
use crate::host::{Env, Shell};

/// A workspace in a folder of its own that is removed afterwards.
struct Checkout(PathBuf);

impl Checkout {
    fn new(name: &str, main: &str) -> Self {
        let root = std::env::temp_dir().join(format!("image build {} {name}", std::process::id()));
        std::fs::create_dir_all(root.join("hello/src")).unwrap();
        let write = |path: &str, text: &str| std::fs::write(root.join(path), text).unwrap();
        write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"hello\"]\nresolver = \"3\"\n\
             [profile.image]\ninherits = \"release\"\nstrip = \"symbols\"\n",
        );
        write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.3.0\"\n");
        write("hello/Cargo.toml", "[package]\nname = \"hello\"\nversion = \"0.3.0\"\nedition = \"2024\"\n");
        write("hello/src/main.rs", main);
        Self(root)
    }

    fn write_main(&self, main: &str) {
        std::fs::write(self.0.join("hello/src/main.rs"), main).unwrap();
    }

    async fn build(&self, host: &Host) -> Result<Image, Error> {
        let key = ServiceKey("greeter".to_owned());
        let wanted = Wanted {
            service: key.clone(),
            package: "hello".to_owned(),
            port: 8080,
            tmp: false,
            architecture: Architecture::X86_64,
        };
        let lines = Mutex::new(Vec::new());
        let images =
            make(host, &self.0, &[wanted], &|line| lines.lock().unwrap().push(line.to_owned())).await;
        let lines = lines.into_inner().unwrap();
        assert!(
            lines.iter().any(|line| line.contains("hello")),
            "the compiler's lines are reported: {lines:?}"
        );
        Ok(images?.remove(&key).unwrap())
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Begins, waits until it is not the only one that has begun, and fails for want of an image.
#[cfg(unix)]
const ENGINE: &str = r#"#!/bin/sh
case "$1" in --version) echo "Docker version 28.2.2"; exit ;; buildx) exit 1 ;; esac
here=$(dirname "$0")
echo "begun" | tee "$here/begun-$$"
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(ls "$here" | grep -c begun)" = 2 ] && { echo "both at once"; exit 1; }
    sleep 0.5
done
echo "alone"; exit 1
"#;

#[cfg(unix)]
#[tokio::test]
async fn two_dockerfiles_are_built_at_the_same_time_and_each_line_names_its_service() {
    use std::os::unix::fs::PermissionsExt as _;

    let checkout = Checkout::new("together", "fn main() {}");
    let engine = checkout.0.join("docker");
    std::fs::write(&engine, ENGINE).unwrap();
    std::fs::set_permissions(&engine, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = include_str!("../../deploy/tests/fixtures/ielts.toml");
    let text = text.replace("build = { cargo = ", "build = { context = \".\", dockerfile = ");
    for file in ["backend", "frontend"] {
        std::fs::write(checkout.0.join(file), "FROM scratch\n").unwrap();
    }
    let environment = deploy::config::load("deploy.toml", &text, Some("prod")).unwrap().environment;
    let env = Env::of([("PATH", checkout.0.to_str().unwrap())]);
    let host = Host { shell: Shell::system(&env), env, ..Host::system().unwrap() };
    let services: Vec<&Service> = environment.services.iter().collect();
    let printed = Mutex::new(BTreeSet::new());
    let on_event = |event: BuildEvent<'_>| {
        if let BuildEvent::Line { service: Some(service), line } = event {
            printed.lock().unwrap().insert(format!("{service}: {line}"));
        }
    };
    let error = build(&host, &checkout.0, &services, false, None, &on_event).await.unwrap_err();
    assert!(error.to_string().ends_with("both at once"), "{error}");
    let printed = printed.into_inner().unwrap();
    assert!(printed.contains("backend: begun") && printed.contains("frontend: begun"), "{printed:?}");
}

/// Panics with its own path in the text, so that the checkout's folder would show in the binary.
const MAIN: &str = r#"fn main() { let name = std::env::args().nth(1).expect("a name"); println!("hello {name} {}", file!()); }"#;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::test]
async fn two_checkouts_give_one_digest_whatever_the_shell_sets_and_a_changed_line_gives_another() {
    let here = Checkout::new("here", MAIN);
    let there = Checkout::new("there, elsewhere", MAIN);
    let plain = Host::system().unwrap();
    let mut other = Host::system().unwrap();
    // Only names of variables that are taken away matter here; the process's own environment stays as it is.
    other.env = crate::host::Env::of([("HOME", "/nonexistent"), ("CARGO_HOME", "/nonexistent/cargo")]);
    let (one, two) = (here.build(&plain).await.unwrap(), there.build(&other).await.unwrap());
    assert_eq!(one, two);
    assert!(here.0.join("target/image/oci/greeter/index.json").is_file());

    let mut archive = tar::Archive::new(GzDecoder::new(one.layers[1].bytes().as_ref()));
    let mut entry = archive.entries().unwrap().nth(1).unwrap().unwrap();
    assert_eq!(entry.path_bytes().as_ref(), b"app/hello");
    let mut executable = Vec::new();
    entry.read_to_end(&mut executable).unwrap();
    elf::check(&executable, Architecture::X86_64).unwrap();

    here.write_main(&MAIN.replace("hello {name}", "hallo {name}"));
    let changed = here.build(&plain).await.unwrap();
    assert_ne!(changed.digest, one.digest);
    assert_eq!(changed.layers[0], one.layers[0]);
    assert_eq!(std::fs::read_dir(here.0.join("target/image/oci/greeter/blobs/sha256")).unwrap().count(), 4);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::test]
async fn a_source_that_does_not_compile_is_reported_in_the_compilers_own_words() {
    let broken = Checkout::new("broken", "fn main() { let x: u8 = \"text\"; }");
    let error = broken.build(&Host::system().unwrap()).await.unwrap_err();
    let text = error.to_string();
    for part in [
        "hello did not compile for x86_64-unknown-linux-gnu",
        "error[E0308]: mismatched types",
        "hello/src/main.rs:1",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(error.hint(), None);
}

#[test]
fn an_image_without_a_volume_at_tmp_is_noted_when_tmp_is_to_be_writable() {
    let text = include_str!("../../deploy/tests/fixtures/ielts.toml");
    let loaded = deploy::config::load("deploy.toml", text, Some("prod")).unwrap();
    let mut container = loaded.environment.services[0].container.clone();
    let platform = platform::platform(Architecture::X86_64);
    let image = |tmp| {
        let recipe = assemble::Recipe {
            package: "backend",
            version: "1",
            port: 8080,
            platform: &platform,
            tmp,
            executable: b"",
        };
        assemble::assemble(&recipe).unwrap()
    };
    assert_eq!(undeclared_tmp(&container, &image(false)), None);
    container.tmp = true;
    assert!(undeclared_tmp(&container, &image(false)).is_some_and(|text| text.contains("`VOLUME /tmp`")));
    assert_eq!(undeclared_tmp(&container, &image(true)), None);
}
