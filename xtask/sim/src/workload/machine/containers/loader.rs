//! What a program of this machine needs in order to run in a container without an image of its own: its loader and the
//! folders with its libraries.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Loader {
    /// The dynamic loader; `None` for a program that is linked statically.
    pub(super) program: Option<PathBuf>,
    pub(super) folders: BTreeSet<PathBuf>,
}

/// What this process was loaded by and with.
///
/// # Errors
/// Unknown: the system is not Linux.
pub(super) fn own() -> std::io::Result<Loader> {
    Ok(of(&fs::read_to_string("/proc/self/maps")?))
}

/// Reads what proc(5) says about a process's mappings.
fn of(maps: &str) -> Loader {
    let mut loader = Loader::default();
    for line in maps.lines() {
        let Some(path) = line.split_whitespace().nth(5).map(Path::new).filter(|path| path.is_absolute())
        else {
            continue;
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.contains(".so") {
            continue;
        }
        // `ld-linux-x86-64.so.2`, `ld-2.31.so`, `ld-musl-x86_64.so.1`.
        if name.starts_with("ld-") {
            loader.program = Some(path.to_owned());
        }
        loader.folders.extend(path.parent().map(Path::to_owned));
    }
    loader
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_loader_are_found_wherever_a_distribution_keeps_them() {
        let maps = "\
55a0-55b0 r-xp 00000000 fe:00 12 /work/target/xtask/xtask
7f00-7f10 r-xp 00000000 fe:00 13 /nix/store/a-glibc-2.40/lib/libc.so.6
7f10-7f20 r-xp 00000000 fe:00 14 /nix/store/b-gcc/lib/libgcc_s.so.1
7f20-7f30 r-xp 00000000 fe:00 15 /nix/store/a-glibc-2.40/lib/ld-linux-x86-64.so.2
7ffd-7ffe rw-p 00000000 00:00 0 [stack]
";
        let loader = of(maps);
        let glibc = Path::new("/nix/store/a-glibc-2.40/lib");
        assert_eq!(loader.program.as_deref(), Some(glibc.join("ld-linux-x86-64.so.2").as_path()));
        let folders: Vec<_> = loader.folders.iter().map(PathBuf::as_path).collect();
        assert_eq!(folders, [glibc, Path::new("/nix/store/b-gcc/lib")]);
        assert_eq!(of("55a0-55b0 r-xp 00000000 fe:00 12 /work/xtask\n"), Loader::default());
    }
}
