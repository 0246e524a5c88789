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
