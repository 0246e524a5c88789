//! The `cargo build` that compiles the executable of an image, as a value.
//!
//! What it takes care of is that the same source gives the same bytes: in another checkout, under another user,
//! beside other cargo settings. Not in its power are the compiler's version and the C library that is linked in.

use deploy::model::Architecture;

use crate::host::Program;

/// Where this machine keeps what a binary could mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) workspace: String,
    /// `CARGO_HOME`; `None` when neither it nor a home folder is known.
    pub(super) cargo_home: Option<String>,
    /// The folders in `registry/src` of `CARGO_HOME`, named after the registry or its mirror.
    pub(super) registries: Vec<String>,
    pub(super) sysroot: String,
    /// The Rust target that the compiler itself runs on.
    pub(super) host: String,
    /// The commit that the compiler was built from.
    pub(super) compiler_commit: String,
}

/// The Rust target of a task's processor, compiled on `host`.
///
/// On Linux with the same processor it is the one that every installation has. Everywhere else musl: Rust ships its C
/// library and start files with the target, so that no C toolchain for Linux is needed.
pub(super) fn target(architecture: Architecture, host: &str) -> &'static str {
    match (architecture, host) {
        (Architecture::X86_64, "x86_64-unknown-linux-gnu") => "x86_64-unknown-linux-gnu",
        (Architecture::Arm64, "aarch64-unknown-linux-gnu") => "aarch64-unknown-linux-gnu",
        (Architecture::X86_64, _) => "x86_64-unknown-linux-musl",
        (Architecture::Arm64, _) => "aarch64-unknown-linux-musl",
    }
}

/// The variable that names a target's linker to cargo.
fn linker_variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", target.to_ascii_uppercase().replace('-', "_"))
}

/// The call of `cargo` that builds `package` for `architecture`; `variables` are the names of those that are set.
pub(super) fn invocation<'a>(
    cargo: &str,
    places: &Places,
    architecture: Architecture,
    package: &str,
    variables: impl Iterator<Item = &'a str>,
) -> Program {
    // A folder of its own: neither an editor's lock on target/debug nor this build waits for the other.
    let target_dir = format!("{}/target/image", places.workspace);
    let mut args = vec!["build", "--profile", "image", "--locked", "--bins", "--color", "never"];
    args.extend(["--message-format", "json-render-diagnostics", "--target-dir", &target_dir]);
    // Always with `--target`: flags then reach the executables and not build scripts and procedural macros,
    // which cannot be linked statically.
    let target = target(architecture, &places.host);
    args.extend(["--target", target]);
    args.extend(["--package", package]);
    let mut program = Program::new(cargo, &args)
        .in_dir(&places.workspace)
        // It outranks RUSTFLAGS and every `rustflags` of every cargo configuration file.
        .env("CARGO_ENCODED_RUSTFLAGS", &rustflags(places))
        // For build scripts that would otherwise write the time of the build into the binary.
        .env("SOURCE_DATE_EPOCH", "0");
    let linker = linker_variable(target);
    let mut chosen = false;
    for name in variables {
        chosen |= name == linker;
        if changes_bytes(name) {
            program.env.push((name.to_owned(), None));
        }
    }
    // The linker that comes with the compiler. A workspace whose dependencies hold C code may need another.
    if target.ends_with("-musl") && !chosen {
        program = program.env(&linker, "rust-lld");
    }
    program
}

/// Flags separated by `0x1f`, as `CARGO_ENCODED_RUSTFLAGS` has them; a path may hold spaces.
fn rustflags(places: &Places) -> String {
    // Panic messages and `file!()` carry source paths into the binary. Of several prefixes that match, the
    // compiler takes the last one.
    let mut remaps: Vec<(String, String)> = Vec::new();
    if let Some(cargo_home) = &places.cargo_home {
        remaps.push((cargo_home.clone(), "/cargo".to_owned()));
    }
    remaps.push((places.workspace.clone(), "/src".to_owned()));
    // With the rust-src component installed, the compiler names the standard library's files by where they are
    // on this machine; without it, by this virtual folder.
    let library = format!("{}/lib/rustlib/src/rust", places.sysroot);
    remaps.push((library, format!("/rustc/{}", places.compiler_commit)));
    // A mirror of the registry has a folder of another name.
    remaps.extend(places.registries.iter().map(|folder| (folder.clone(), "/crates".to_owned())));
    let mut flags = "-Ctarget-feature=+crt-static".to_owned();
    for (from, to) in remaps {
        flags.push_str(&format!("\u{1f}--remap-path-prefix={from}={to}"));
    }
    flags
}

/// Whether an environment variable could change what is compiled, or make cargo compile it again.
///
/// `RUSTC_WRAPPER` is left alone: it is how compilation caches are plugged in, and those keep the bytes.
fn changes_bytes(name: &str) -> bool {
    const EXACT: [&str; 13] = [
        "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_INCREMENTAL",
        "CARGO_BUILD_INCREMENTAL",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_TARGET_DIR",
        "OUT_DIR",
        "RUSTC_BOOTSTRAP",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTFLAGS",
    ];
    // `cargo run` hands the tool the variables of its own package; a build script that watches one of them
    // would run again whenever the tool was started another way.
    EXACT.contains(&name)
        || name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_PROFILE_")
        || (name.starts_with("CARGO_TARGET_") && name.ends_with("_RUSTFLAGS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places {
            workspace: "/home/ann/my app".to_owned(),
            cargo_home: Some("/home/ann/.cargo".to_owned()),
            registries: vec!["/home/ann/.cargo/registry/src/mirror-0123456789abcdef".to_owned()],
            sysroot: "/home/ann/.rustup/toolchains/stable".to_owned(),
            host: "aarch64-unknown-linux-gnu".to_owned(),
            compiler_commit: "59807616e".to_owned(),
        }
    }

    fn made<'a>(variables: impl Iterator<Item = &'a str>) -> Program {
        invocation("cargo", &places(), Architecture::Arm64, "backend", variables)
    }

    #[test]
    fn a_package_is_compiled_by_itself_so_that_no_other_service_decides_its_features() {
        assert_eq!(
            made(std::iter::empty()).args.join(" "),
            "build --profile image --locked --bins --color never --message-format json-render-diagnostics \
             --target-dir /home/ann/my app/target/image --target aarch64-unknown-linux-gnu \
             --package backend"
        );
    }

    #[test]
    fn a_mac_or_another_processor_needs_no_c_toolchain_for_linux() {
        for (host, architecture, target) in [
            ("x86_64-unknown-linux-gnu", Architecture::X86_64, "x86_64-unknown-linux-gnu"),
            ("x86_64-unknown-linux-gnu", Architecture::Arm64, "aarch64-unknown-linux-musl"),
            ("aarch64-apple-darwin", Architecture::Arm64, "aarch64-unknown-linux-musl"),
            ("aarch64-apple-darwin", Architecture::X86_64, "x86_64-unknown-linux-musl"),
        ] {
            let places = Places { host: host.to_owned(), ..places() };
            let linkers = |variables: &[&'static str]| -> Vec<_> {
                let program =
                    invocation("cargo", &places, architecture, "backend", variables.iter().copied());
                assert!(program.args.join(" ").contains(&format!("--target {target} ")), "{program:?}");
                program.env.into_iter().filter(|(name, _)| name.ends_with("_LINKER")).collect()
            };
            let variable = linker_variable(target);
            let own = target.ends_with("-musl").then(|| (variable.clone(), Some("rust-lld".to_owned())));
            assert_eq!(linkers(&[]), Vec::from_iter(own));
            assert_eq!(linkers(&[variable.leak()]), [], "a linker that the developer chose is used");
        }
    }

    #[test]
    fn no_path_of_this_machine_reaches_the_binary() {
        let program = made(std::iter::empty());
        let (name, value) = &program.env[0];
        assert_eq!(name, "CARGO_ENCODED_RUSTFLAGS");
        let flags: Vec<&str> = value.as_deref().unwrap().split('\u{1f}').collect();
        assert_eq!(
            flags,
            [
                "-Ctarget-feature=+crt-static",
                "--remap-path-prefix=/home/ann/.cargo=/cargo",
                "--remap-path-prefix=/home/ann/my app=/src",
                "--remap-path-prefix=/home/ann/.rustup/toolchains/stable/lib/rustlib/src/rust=/rustc/59807616e",
                "--remap-path-prefix=/home/ann/.cargo/registry/src/mirror-0123456789abcdef=/crates",
            ]
        );
    }

    #[test]
    fn settings_of_the_shell_do_not_change_the_digest_and_tools_stay_usable() {
        let removed = [
            "RUSTFLAGS",
            "RUSTC_WORKSPACE_WRAPPER",
            "CARGO_INCREMENTAL",
            "CARGO_PKG_NAME",
            "CARGO_PROFILE_IMAGE_OPT_LEVEL",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
        ];
        let kept = [
            "PATH",
            "HOME",
            "CARGO",
            "CARGO_HOME",
            "RUSTUP_TOOLCHAIN",
            "RUSTC",
            "RUSTC_WRAPPER",
            "CARGO_BUILD_JOBS",
            "CARGO_NET_OFFLINE",
            "CARGO_HTTP_PROXY",
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
        ];
        let program = made(removed.iter().chain(&kept).copied());
        let gone: Vec<&str> =
            program.env.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str()).collect();
        assert_eq!(gone, removed);
    }
}
