"""Base images without a registry: this machine's own Node and JDK with the libraries that they load, and nothing else."""

import io
import os
import pathlib
import re
import shutil
import subprocess
import tarfile

from .verdict import Unexpected

# What the Java application uses, and what compiles it.
MODULES = "java.base,jdk.httpserver,jdk.compiler"
# What a Rust program is linked with, and what a Dockerfile's steps need.
LINKER = ("gcc", "libc6-dev", "dash", "coreutils")


def node(env):
    """Makes the image `ci-base/node:1`."""
    program = shutil.which("node")
    if not program:
        raise Unexpected("a base image with Node", "node on PATH", "none")
    program = pathlib.Path(program).resolve()
    files = {"usr/bin/node": program, **_libraries([program])}
    return _import(env, "ci-base/node:1", files, "/usr/bin")


def java(env, folder):
    """Makes the image `ci-base/java:1`, of a runtime that `jlink` puts into `folder`."""
    compiler = shutil.which("javac")
    if not compiler:
        raise Unexpected("a base image with a JDK", "javac on PATH", "none")
    jlink = pathlib.Path(compiler).resolve().with_name("jlink")
    shutil.rmtree(folder, ignore_errors=True)
    small = ["--strip-debug", "--no-header-files", "--no-man-pages"]
    _run([str(jlink), "--add-modules", MODULES, *small, "--output", str(folder)], env)
    files = {f"opt/java/{path.relative_to(folder)}": path for path in sorted(folder.rglob("*")) if path.is_file()}
    loaded = [path for path in files.values() if path.suffix == ".so" or path.parent.name == "bin"]
    own = {path.name for path in loaded}
    libraries = {name: path for name, path in _libraries(loaded).items() if path.name not in own}
    return _import(env, "ci-base/java:1", {**files, **libraries}, "/opt/java/bin")


def rust(env):
    """Makes the image `ci-base/rust:1`: this machine's compiler, what it links with, and the crates of the lock file."""
    sysroot = pathlib.Path(_run(["rustc", "--print", "sysroot"], env).decode().strip())
    cargo_home = pathlib.Path(env.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    packages = sorted(_closure(LINKER))
    listed = subprocess.run(["dpkg-query", "--listfiles", *packages], capture_output=True, text=True, check=False).stdout
    paths = {pathlib.Path(line) for line in listed.splitlines() if line.startswith("/") and "/share/" not in line}
    for part in ("bin/cargo", "bin/rustc", "lib"):
        paths |= {path for path in [sysroot / part, *(sysroot / part).rglob("*")] if "/share/" not in str(path)}
    for part in ("registry/cache", "registry/index"):
        paths |= set((cargo_home / part).rglob("*"))
    # Each file once and under its own name: /lib and its like lead to folders below /usr.
    files = {path.parent.resolve() / path.name for path in paths if path.is_symlink() or path.is_file()}
    # Those folders, and what Debian's alternatives make of the C compiler's name.
    links = ("/bin", "/lib", "/lib64", "/usr/bin/cc", "/etc/alternatives/cc")
    files |= {path for path in map(pathlib.Path, links) if path.is_symlink()}
    names = "\0".join(str(path).lstrip("/") for path in sorted(files))
    archive = _run(["tar", "--create", "--directory", "/", "--no-recursion", "--null", "--files-from", "-"], env, names.encode())
    changes = {"PATH": f"{sysroot}/bin:/usr/bin:/bin", "CARGO_HOME": cargo_home, "CARGO_NET_OFFLINE": "true"}
    changes_args = [word for name, value in changes.items() for word in ("--change", f"ENV {name}={value}")]
    _run(["docker", "import", *changes_args, "-", "ci-base/rust:1"], env, archive)
    return "ci-base/rust:1"


def _closure(packages):
    """Debian packages and all that they depend on, as they are installed here."""
    known = subprocess.run(["dpkg-query", "--show", "--showformat", "${Package}|${Depends}|${Pre-Depends}|${Provides}\n"],
                           capture_output=True, text=True, check=False).stdout
    needs, provided = {}, {}
    for line in known.splitlines():
        name, *rest, provides = line.split("|", 3)
        needs[name] = re.findall(r"([a-z0-9][a-z0-9+.-]+)(?::\w+)?(?: \([^)]*\))?", ",".join(rest))
        provided |= {other: name for other in re.findall(r"[a-z0-9][a-z0-9+.-]+", provides)}
    found, pending = set(), list(packages)
    while pending:
        name = pending.pop()
        name = name if name in needs else provided.get(name)
        if name and name not in found:
            found.add(name)
            pending += needs[name]
    return found


def _libraries(programs):
    """Where a program looks for each shared library, and the file that is there."""
    asked = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    # A program's own line ends in a colon.
    found = {path for path in re.findall(r"(?:^|\s)(/[^\s():]+)(?=\s|$)", asked) if ".so" in path}
    return {path.lstrip("/"): pathlib.Path(path).resolve() for path in sorted(found)}


def _import(env, name, files, path):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder in ("tmp", "app"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for inside, file in sorted(files.items()):
            content = file.read_bytes()
            entry = tarfile.TarInfo(inside)
            entry.size, entry.mode = len(content), 0o755 if os.access(file, os.X_OK) else 0o644
            tar.addfile(entry, io.BytesIO(content))
    _run(["docker", "import", "--change", f"ENV PATH={path}", "-", name], env, archive.getvalue())
    return name


def _run(command, env, given=None):
    done = subprocess.run(command, env=env, input=given, capture_output=True, check=False)
    if done.returncode != 0:
        raise Unexpected(" ".join(command), "exit 0", done.stderr.decode("utf-8", "replace")[-2000:])
    return done.stdout
