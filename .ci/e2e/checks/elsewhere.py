"""Another repository: the tool is copied there as docs/another-repository.md says, and deploys what it finds."""

import os
import re
import shutil
import subprocess

from .. import docker
from ..stage import deployed
from ..tool import WARM_DEADLINE, Run, Tool
from ..verdict import check, expect, expect_that

# A service's static binary, so that no base image has to come from anywhere.
DOCKERFILE = """FROM scratch
COPY server /server
USER 65532:65532
EXPOSE 3000
ENTRYPOINT ["/server"]
"""


def _copied(stage):
    """A repository of one Dockerfile with the tool beside it."""
    folder = stage.root / "target" / "ci" / "elsewhere"
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("xtask", ".cargo"):
        shutil.copytree(stage.root / part, folder / part)
    manifest = (stage.root / "Cargo.toml").read_text(encoding="utf-8")
    manifest, count = re.subn(r" *# This repository's own.*\n.*\n", "", manifest)
    expect("lines of Cargo.toml that a copy leaves out", count, 1)
    (folder / "Cargo.toml").write_text(manifest, encoding="utf-8")
    shutil.copy(stage.root / "Cargo.lock", folder)
    binaries = list((stage.root / "target" / "image").glob("*/image/frontend"))
    expect("compiled frontends", len(binaries), 1)
    (folder / "shop").mkdir()
    shutil.copy(binaries[0], folder / "shop" / "server")
    (folder / "shop" / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (folder / ".gitignore").write_text("/target\n", encoding="utf-8")
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "start"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@check("copied into another repository, the tool writes its deploy.toml, deploys, and passes its tests")
def new_team(stage):
    stage.stop()
    folder = _copied(stage)
    tool = Tool(folder)
    with docker.daemon(stage.root / "target" / "ci" / "dockerd.log") as env:
        # Compiled dependencies are shared: what is built anew is the tool itself.
        env = {**env, "CARGO_TARGET_DIR": str(stage.root / "target")}
        try:
            made = tool.run("init", env=env, config=None)
            expect_that(made.exit == 0 and "shop of shop/Dockerfile" in made.text, "init", "a file for shop/Dockerfile", made.story())
            refused = tool.run("init", env=env, config=None)
            expect("init where there is a file", refused.exit, 2)
            for_events = ("deploy", "--output", "json")
            first = deployed(tool.run(*for_events, env=env, config=None, deadline=WARM_DEADLINE))
            again = deployed(tool.run(*for_events, env=env, config=None, deadline=WARM_DEADLINE))
            expect("API calls that write, deployed again", again.writes(), [])
        finally:
            tool.run("local", "stop", env=env, config=None)
        # The stories take minutes and read nothing but the tool's own folder, as these do.
        own = ["cargo", "test", "--profile", "xtask", "--locked", "-p", "deploy", "-p", "sim"]
        tests = Run(own, {**os.environ, **env}, folder).wait(900)
        expect_that(tests.exit == 0, "the tool's own tests", "exit 0", tests.story())
    return f"{first.elapsed:.1f} s"
