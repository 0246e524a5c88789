//! What makes a build, and what makes none.
#![expect(clippy::unwrap_used, reason = "a stage that cannot be set must fail")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use deploy::model::{BuildCache, BuildSecret};

use super::*;

/// A workspace with `web/`, and what is to be built of it.
struct Bench {
    root: PathBuf,
    dockerfile: Build,
    platform: &'static str,
    kind: Kind,
}

impl Bench {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("xtask-inputs-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("web/src")).unwrap();
        let bench = Self {
            root,
            dockerfile: Build {
                cargo: None,
                same_as: None,
                dockerfile: Some("web/Dockerfile".to_owned()),
                context: "web".to_owned(),
                target: None,
                args: [("A".to_owned(), "1".to_owned())].into(),
                secrets: [(
                    "npm".to_owned(),
                    BuildSecret { env: Some("NPM_TOKEN".to_owned()), ..BuildSecret::default() },
                )]
                .into(),
                platform: None,
                cache: BuildCache::default(),
                engine: None,
            },
            platform: "linux/amd64",
            kind: Kind::Buildx,
        };
        bench.write("web/Dockerfile", "FROM scratch\nCOPY . /\n");
        bench.write("web/.dockerignore", "node_modules\n*.log\n!kept.log\n");
        bench.write("web/src/main.js", "1");
        bench
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn digest(&self) -> Option<String> {
        let inputs = Inputs::read(self.kind, &self.root, &self.dockerfile, self.platform)?;
        Some(blob::hex(&inputs.digest.finalize()))
    }
}

/// A change, whether it makes a build, and the change itself.
type Row = (&'static str, bool, fn(&mut Bench));

#[test]
fn a_change_that_can_reach_the_image_makes_a_build_and_no_other_does() {
    let table: &[Row] = &[
        ("nothing", false, |_| {}),
        ("the same content written again", false, |it| it.write("web/src/main.js", "1")),
        ("a file's content", true, |it| it.write("web/src/main.js", "2")),
        ("a file more", true, |it| it.write("web/src/more.js", "")),
        ("a file renamed", true, |it| {
            fs::rename(it.root.join("web/src/main.js"), it.root.join("web/src/other.js")).unwrap();
        }),
        ("an empty folder", true, |it| fs::create_dir(it.root.join("web/empty")).unwrap()),
        ("a file's permissions", true, |it| {
            let path = it.root.join("web/src/main.js");
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }),
        ("a link", true, |it| symlink("main.js", it.root.join("web/src/link.js")).unwrap()),
        ("where a link leads, and not what is there", true, |it| {
            symlink("/nowhere", it.root.join("web/link")).unwrap();
        }),
        ("what is ignored", false, |it| it.write("web/node_modules/left-pad/index.js", "")),
        ("a log", false, |it| it.write("web/npm.log", "")),
        ("what is ignored and taken back", true, |it| it.write("web/kept.log", "")),
        ("a file outside", false, |it| it.write("api/main.js", "")),
        ("the Dockerfile", true, |it| it.write("web/Dockerfile", "FROM scratch\nCOPY src /\n")),
        ("an argument's value", true, |it| {
            it.dockerfile.args.insert("A".to_owned(), "2".to_owned());
        }),
        ("an argument more", true, |it| {
            it.dockerfile.args.insert("B".to_owned(), String::new());
        }),
        ("the stage", true, |it| it.dockerfile.target = Some("production".to_owned())),
        ("the platform", true, |it| it.platform = "linux/arm64"),
        ("the engine", true, |it| it.kind = Kind::Buildah),
        ("a secret's id", true, |it| {
            it.dockerfile.secrets.insert(
                "pip".to_owned(),
                BuildSecret { env: Some("X".to_owned()), ..BuildSecret::default() },
            );
        }),
        ("where a secret's value is", false, |it| {
            it.dockerfile.secrets.insert(
                "npm".to_owned(),
                BuildSecret { file: Some("npmrc".to_owned()), ..BuildSecret::default() },
            );
        }),
        ("a cache", false, |it| it.dockerfile.cache.from.push("type=gha".to_owned())),
        ("an ignore file for the Dockerfile alone", true, |it| {
            it.write("web/Dockerfile.dockerignore", "src\n");
        }),
    ];
    for (index, (what, changes, change)) in table.iter().enumerate() {
        let mut bench = Bench::new(&index.to_string());
        let before = bench.digest().unwrap();
        change(&mut bench);
        assert_eq!(bench.digest().unwrap() != before, *changes, "{what}");
    }
}

/// What makes the inputs unknown, and how.
type Unknown = (&'static str, fn(&Bench));

#[test]
fn inputs_that_cannot_be_known_are_not_taken_for_unchanged() {
    let table: &[Unknown] = &[
        ("a fetched file", |it| it.write("web/Dockerfile", "FROM scratch\nADD https://example.com/x /\n")),
        ("an ignore file with a mistake", |it| it.write("web/.dockerignore", "[\n")),
        ("no Dockerfile", |it| fs::remove_file(it.root.join("web/Dockerfile")).unwrap()),
    ];
    for (index, (what, change)) in table.iter().enumerate() {
        let bench = Bench::new(&format!("unknown-{index}"));
        change(&bench);
        assert_eq!(bench.digest(), None, "{what}");
    }
}

/// Older Buildah reads the folder's file only, newer Buildah the Dockerfile's own first.
#[test]
fn a_file_that_some_version_of_buildah_may_see_is_counted() {
    let mut bench = Bench::new("buildah");
    bench.kind = Kind::Buildah;
    bench.write("web/.containerignore", "node_modules\nsrc\n");
    let before = bench.digest().unwrap();
    bench.write("web/node_modules/x", "");
    assert_eq!(bench.digest().unwrap(), before);
    bench.write("web/src/main.js", "2");
    assert_ne!(bench.digest().unwrap(), before);
}
