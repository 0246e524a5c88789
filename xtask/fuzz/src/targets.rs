//! What is fed, what is made of it, and what must hold for every input.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use deploy::config::{self, Workspace};
use deploy::model::spec::Members;
use deploy::redact;
use serde_json::{Value, json};

use crate::archive;
use crate::aws;
use crate::mutate::{Random, mutated};
use crate::readers::{engine, layers, registry};

type Input = Box<dyn Fn(&mut Random) -> Vec<u8>>;
type Check = Box<dyn Fn(&[u8]) -> Result<(), String> + std::panic::RefUnwindSafe>;

/// A reader with its inputs. `check` says what is untrue of an input, besides that it must return and not panic.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) input: Input,
    pub(crate) check: Check,
}

fn target(
    name: &'static str,
    corpus: Vec<Vec<u8>>,
    words: &'static [&'static str],
    check: impl Fn(&[u8]) -> Result<(), String> + std::panic::RefUnwindSafe + 'static,
) -> Target {
    let input = move |random: &mut Random| mutated(random, &corpus, words);
    Target { name, input: Box::new(input), check: Box::new(check) }
}

fn holds(is: bool, what: &str) -> Result<(), String> {
    is.then_some(()).ok_or_else(|| what.to_owned())
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) fn all() -> Vec<Target> {
    vec![file(), members(), text(), errors(), registries(), dockerfile(), ignore(), layer()]
}

/// `deploy.toml`: the repository's own, and what its tables are made of.
fn file() -> Target {
    let own = include_str!("../../../deploy.toml");
    let mut corpus = texts(&[own]);
    // Small pieces too: of a whole file most changes hit a comment.
    corpus.extend(own.split("\n\n").map(|part| part.as_bytes().to_vec()));
    const WORDS: &[&str] = &[
        "[",
        "]",
        "[[",
        "]]",
        "=",
        "\"",
        "\"\"\"",
        "'",
        "{",
        "}",
        ",",
        "\n",
        ".",
        "#",
        "service",
        "env",
        "every-service",
        "[env.prod]",
        "container",
        "environment",
        "secrets",
        "aws",
        "routes",
        "scaling",
        "true",
        "-1",
        "9999999999999999999",
        "1e400",
        "nan",
        "\u{0}",
        "\u{feff}",
        "é",
        "\\u0000",
        "/*",
        "*",
        "arn:aws:",
        "depends-on",
        "sidecar",
        "public",
    ];
    target("deploy.toml", corpus, WORDS, |input| {
        let text = String::from_utf8_lossy(input);
        for env in config::environments(&text).into_iter().take(3).map(Some).chain([None]) {
            let load = || match config::load_in(Workspace::UNKNOWN, "deploy.toml", &text, env.as_deref()) {
                Ok(loaded) => loaded.warnings.render(false),
                Err(report) => report.render(false),
            };
            let said = load();
            holds(said == load(), "two readings of one file differ")?;
            holds(said.len() <= 4 << 20, "a report of more than 4 MiB")?;
        }
        Ok(())
    })
}

/// A task definition as ECS answers with it: the form that is compared must survive the wire.
fn members() -> Target {
    let definition = json!({"family": "web", "cpu": "256", "containerDefinitions": [{
        "name": "web", "image": "a@sha256:1", "essential": true, "cpu": 0, "portMappings": [{"containerPort": 80, "hostPort": 80}],
        "environment": [{"name": "A", "value": "1"}, {"name": "B"}], "secrets": [{"name": "S", "valueFrom": "arn:aws:ssm:x"}],
        "dependsOn": [{"containerName": "b", "condition": "START"}], "logConfiguration": {"logDriver": "awslogs", "options": {"a": "b"}},
        "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}], "mountPoints": [{"containerPath": "/tmp", "sourceVolume": "t"}],
    }], "volumes": [{"name": "t"}], "tags": [{"key": "release", "value": "r1"}]});
    const WORDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "\"\"",
        "\"name\"",
        "\"value\"",
        "\"containerPort\"",
        "65536",
        "\"containerDefinitions\"",
        "\"environment\"",
        "\"services\"",
        "\"\\ud800\"",
        "\"DB_PASSWORD\"",
    ];
    target("AWS replies in JSON", texts(&[&definition.to_string()]), WORDS, |input| {
        let Ok(value) = serde_json::from_slice::<Value>(input) else { return Ok(()) };
        let members = Members::of(value.clone());
        let wire = members.wire();
        holds(Members::of(wire.clone()) == members, "the wire's form is read as something else")?;
        holds(Members::of(wire.clone()).wire() == wire, "the wire's form changes on its second way")?;
        let plain = members.without_defaults();
        holds(plain.clone().without_defaults() == plain, "defaults are left after they were removed")?;
        let mut masked = value;
        redact::json(&mut masked);
        let once = masked.clone();
        redact::json(&mut masked);
        holds(masked == once, "a masked reply is masked further")
    })
}

/// Lines as tasks print them, JSON and plain.
fn text() -> Target {
    let corpus = texts(&[
        "2026-11-28 connecting to postgres://app:hunter2@db:5432/x password=hunter2 API_KEY: \"abc\"",
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl AKIAIOSFODNN7EXAMPLE",
        "app:pw@tcp(db:3306)/shop ghp_0123456789abcdefghij0123456789abcdef sk-0123456789abcdefghij",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
    ]);
    const WORDS: &[&str] = &[
        "=",
        ":",
        "@",
        "://",
        "\"",
        "'",
        "password",
        "token",
        "Basic ",
        "Bearer ",
        "-----BEGIN ",
        "é",
        "\u{1b}[31m",
        "\n",
        "***",
        "eyJ",
    ];
    // Masked once more it may lose more: what `***` ends up beside can look like another secret.
    target("text that is masked", corpus, WORDS, |input| {
        let masked = redact::text(&String::from_utf8_lossy(input));
        holds(masked.len() <= 3 * input.len() + 64, "a masked text is longer than what it was")
    })
}

fn errors() -> Target {
    let corpus = texts(&[
        r#"{"__type":"com.amazonaws.ecs#ClusterNotFoundException","message":"gone"}"#,
        "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no role</Message></Error><RequestId>r</RequestId></ErrorResponse>",
        "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>A.B</Code><Message>a &amp; b</Message></Error></Errors></Response>",
        "<html><body><h1>403 Forbidden</h1><br></body></html>",
    ]);
    const WORDS: &[&str] = &[
        "<",
        ">",
        "</",
        "/>",
        "<?xml",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&#0;",
        "&#x110000;",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "Error",
        "Code",
        "<Error>",
        "{",
        "}",
        "\"__type\":",
        "#",
        ":",
        "xmlns=\"\"",
    ];
    target("AWS errors in JSON and XML", corpus, WORDS, |input| {
        let found = aws::error_of(input);
        holds(
            found.is_none_or(|(code, message)| code.len() + message.len() <= 2 * input.len()),
            "an error longer than its body",
        )
    })
}

fn registries() -> Target {
    let corpus = texts(&[
        r#"{"errors":[{"code":"TAG_INVALID","message":"immutable","detail":{}},{"code":"DENIED"}]}"#,
        "<html><head><title> Bad Gateway </title></head></html>",
        "Not Authorized\n",
    ]);
    const WORDS: &[&str] = &[
        "<title>",
        "</title>",
        "{",
        "}",
        "[",
        "]",
        "\"errors\":",
        "\"code\":",
        "null",
        "é",
        "\u{2028}",
        "\\ud800",
    ];
    target("registry replies", corpus, WORDS, |input| {
        let (said, _) = registry::said(input);
        // Bytes that are no UTF-8 become three each.
        holds(
            !said.is_empty() && said.len() <= 3 * input.len() + 100,
            "an answer that says nothing, or more than it is",
        )
    })
}

fn dockerfile() -> Target {
    let corpus = texts(&[
        "# syntax=docker/dockerfile:1\nARG NODE=22\nARG BASE=\"node:${NODE}\"\nFROM --platform=$BUILDPLATFORM ${BASE}-slim AS build\n\
         RUN --mount=type=bind,from=tools:1,target=/t \\\n  # why\n  x\nCOPY --from=build /a /\nFROM alpine:${UNSET:-3}\n",
        "# escape=`\nFROM scratch\nADD x.tar /\nCOPY --from=0 /a `\n /b\n",
        "FROM ${A:-${B:-${C:+d}}}\n",
    ]);
    const WORDS: &[&str] = &[
        "FROM ",
        "ARG ",
        "COPY --from=",
        "ADD ",
        "RUN --mount=",
        "$",
        "${",
        "}",
        ":-",
        ":+",
        "\\\n",
        "`\n",
        "#",
        "AS ",
        "\n",
        "\"",
        "é",
        "--",
    ];
    target("Dockerfile", corpus, WORDS, |input| {
        let text = String::from_utf8_lossy(input);
        let (images, _) = engine::images(&text);
        let images = images.unwrap_or_default();
        holds(images.is_sorted(), "images that are not sorted")?;
        holds(
            images.iter().all(|image| !image.starts_with('-')),
            "an image that an engine would take for an option",
        )
    })
}

fn ignore() -> Target {
    let corpus = texts(&[
        "*/temp*\n**/*.go\n!README.md\n/target/\n",
        "docs\n!docs/README.md\n[^a-c]?\n",
        "**\n!util/docker/web\n",
        "*a*a*a*a*a*b\n",
    ]);
    const WORDS: &[&str] = &[
        "*", "**", "**/", "?", "[", "]", "[^", "a-z", "!", "\\", "/", "..", "./", "#", "\n", "a", "*a*a",
        "é", "\u{feff}",
    ];
    const PATHS: [&str; 6] = [
        "a",
        "docs/README.md",
        "target/debug/x",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/aaaaaaaaaaaaaaaaaaaaaaaaac",
        "a/b/main.go",
        "é/ü",
    ];
    target(".dockerignore", corpus, WORDS, |input| {
        let text = String::from_utf8_lossy(input);
        let Some(hidden) = engine::hidden(&text, &PATHS) else { return Ok(()) };
        // What comes last decides.
        let (all, none) = (format!("{text}\n**\n"), format!("{text}\n!**\n"));
        holds(
            engine::hidden(&all, &PATHS).is_some_and(|it| it.iter().all(|hidden| *hidden)),
            "`**` leaves something",
        )?;
        holds(
            engine::hidden(&none, &PATHS).is_some_and(|it| it.iter().all(|hidden| !hidden)),
            "`!**` hides something",
        )?;
        let twice = engine::hidden(&format!("{text}\n{text}"), &PATHS);
        let exceptions = text.contains('!');
        holds(exceptions || twice.as_ref() == Some(&hidden), "the same patterns twice hide something else")
    })
}

/// Nothing beside the image's root is made, changed or linked.
fn layer() -> Target {
    let stage = Stage::new();
    let input = Box::new(archive::layer);
    Target { name: "layer archives", input, check: Box::new(move |input| stage.unpack(input, layers::layer)) }
}

/// A folder with the root of an image, and a file beside it.
pub(crate) struct Stage(PathBuf);

impl Stage {
    pub(crate) fn new() -> Self {
        // In memory where there is such a folder: a disk would take most of the time.
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        Self(parent.join(format!("fuzz-{}", std::process::id())))
    }

    pub(crate) fn unpack(
        &self,
        input: &[u8],
        with: impl Fn(&std::path::Path, &[u8]) -> std::io::Result<()>,
    ) -> Result<(), String> {
        let (root, canary) = (self.0.join("root"), self.0.join("canary"));
        let _ = fs::remove_dir_all(&self.0);
        fs::create_dir_all(&root)
            .and_then(|()| fs::write(&canary, "canary"))
            .map_err(|error| error.to_string())?;
        // A layer may be refused: what it did until then must stay inside all the same.
        let _ = with(&root, input);
        let beside = fs::read_dir(&self.0).map_err(|error| error.to_string())?.count();
        holds(beside == 2, "something was made or removed outside of the image's root")?;
        holds(
            fs::read(&canary).is_ok_and(|found| found == b"canary"),
            "a file outside of the image's root was changed",
        )?;
        let links = fs::symlink_metadata(&canary).map_err(|error| error.to_string())?;
        holds(links.is_file() && links.nlink() == 1, "a file outside of the image's root is linked into it")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
