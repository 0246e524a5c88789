"""No credential is an argument or stays in a file: watched while a Dockerfile is built with a secret, pushed and deployed."""

import base64
import contextlib
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from .. import bases, docker, names
from ..stage import deployed
from ..verdict import check, expect, expect_that
from ..watch import Arguments, files_since
from .fresh import fresh_deploy
from .safety import SECRETS

CARGO = 'build = { cargo = "frontend" }'
PROBE = 'command = ["CMD", "/app/frontend", "probe"]'
# The digest is the proof that the build had the secret; the image keeps nothing else of it.
DOCKERFILE = r"""FROM ci-base/node:1
RUN --mount=type=secret,id=token ["node", "-e", "const fs = require('fs'); const secret = fs.readFileSync('/run/secrets/token'); fs.writeFileSync('/app/digest', require('crypto').createHash('sha256').update(secret).digest('hex'))"]
COPY server.js /app/
ENV VERSION=secret
USER 65532:65532
ENTRYPOINT ["node", "/app/server.js"]
"""
# The tool's folders below target/.
WRITTEN_BY_THE_TOOL = ("image", "local", "evidence")


def _decoys(stage, arguments, folder, texts):
    """Proves that what is looked for would be found."""
    texts["decoy"] = f"decoy-{stage.random.randrange(10**12)}"
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.3)", texts["decoy"]], check=True)
    expect("arguments that hold the decoy", arguments.holding({"decoy": texts["decoy"]}), ["decoy"])
    (folder / "decoy").write_text(texts.pop("decoy"), encoding="utf-8")


def _pattern_knows_tokens(stage):
    """Proves that the registry's password would be found, as it is issued and as it is decoded."""
    data = stage.account().word_for_word("aws ecr get-authorization-token")["authorizationData"]
    token = data[0]["authorizationToken"]
    password = base64.b64decode(token).decode().partition(":")[2]
    known = {"token": token, "password": password}
    expect("what the pattern does not find", [name for name, text in known.items() if not SECRETS.search(text)], [])


@check("a build secret, AWS keys and the registry's password are in no argument, file, output or log", needs=[fresh_deploy])
def nothing_leaks(stage):
    texts = {name: f"{name}-{stage.random.randrange(10**16):016d}" for name in ("build-secret", "aws-secret-key", "aws-session")}
    context = stage.root / "target" / "ci" / "credentials"
    context.mkdir(parents=True, exist_ok=True)
    (context / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (context / "server.js").write_bytes((stage.root / ".ci/e2e/apps/node/server.js").read_bytes())
    build = f'build = {{ dockerfile = "{context.relative_to(stage.root)}/Dockerfile", ' \
            f'context = "{context.relative_to(stage.root)}", secrets = {{ token = {{ env = "CI_TOKEN" }} }}, engine = "docker" }}'
    stage.stop()
    logs = len(stage.logs)
    home = pathlib.Path.home()
    with tempfile.TemporaryDirectory(prefix="ci-home-") as folder, \
            docker.daemon(stage.root / "target" / "ci" / "dockerd.log") as env:
        folder = pathlib.Path(folder)
        bases.node(env)
        env |= {
            "CARGO_HOME": os.environ.get("CARGO_HOME", str(home / ".cargo")),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(home / ".rustup")),
            "HOME": str(folder), "TMPDIR": str(folder), "CI_TOKEN": texts["build-secret"],
            "AWS_ACCESS_KEY_ID": "AKIDCHECK", "AWS_SECRET_ACCESS_KEY": texts["aws-secret-key"],
            "AWS_SESSION_TOKEN": texts["aws-session"],
            # Debian's own client builds by BuildKit, which secrets need; another one here may not.
            "PATH": f"/usr/bin:{os.environ['PATH']}", "DOCKER_BUILDKIT": "1",
        }
        began = time.time()
        with Arguments() as arguments:
            _decoys(stage, arguments, folder, texts)
            stage.sources.edit(names.FILE, CARGO, build)
            stage.sources.edit(names.FILE, PROBE, 'command = ["CMD", "node", "/app/server.js", "probe"]')
            try:
                # An engine does not look at what a secret is: it would take the step of an earlier run.
                run = deployed(stage.tool.deploy("--no-cache", env=env))
                digest = hashlib.sha256(texts["build-secret"].encode()).hexdigest()
                shown = stage.tool.run("exec", "frontend", "--", "node", "-p", "fs.readFileSync('/app/digest', 'utf8')", env=env)
                expect("the digest of the secret that the build had", shown.out, [digest])
                _pattern_knows_tokens(stage)
            finally:
                stage.sources.restore()
            stage.stop()
        expect_that(any(b"build" in line and b"CI_TOKEN" in line for line in arguments.seen),
                    "the arguments seen", "the engine's build among them", f"{len(arguments.seen)} of other processes")
        expect("secrets in arguments", arguments.holding(texts), [])
        expect("what looks like a credential in arguments", arguments.like(SECRETS), [])
        folders = [stage.root / "target" / name for name in WRITTEN_BY_THE_TOOL]
        read, decoy, found = 0, False, []
        for path, content in files_since(began, folder, *folders):
            # The tool itself, under a second name.
            if path.name == "sidecar":
                continue
            read += 1
            decoy |= b"decoy-" in content
            found += [f"{path}: {name}" for name, text in texts.items() if text.encode() in content]
            # Programs, and layers that hold them, have texts of all kinds: patterns are for what people can read.
            with contextlib.suppress(UnicodeDecodeError):
                found += [f"{path}: {match[0][:12]}…" for match in SECRETS.finditer(content.decode("utf-8"))]
        expect("whether the decoy's file was found", decoy, True)
        expect("secrets in files", found, [])
        output = [run.text, shown.text, *stage.logs[logs:]]
        expect("secrets in what was printed", [name for name, text in texts.items() if any(text in it for it in output)], [])
    return f"{arguments.looks} looks at {len(arguments.seen)} different arguments, {read} files"


@check("the next deploy is of packages again", needs=[nothing_leaks])
def back(stage):
    deployed(stage.tool.deploy())
