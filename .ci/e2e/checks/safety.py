"""Production stays untouched, programs can read the output, and no secret is in it."""

import os
import pathlib
import re

from .. import names
from ..verdict import check, expect, expect_that
from .fresh import fresh_deploy

# What an ECR password, a registry's Authorization header and a request's signature look like. `QVdTO` is how
# every base64 text begins that holds `AWS:`, the user of each ECR password.
SECRETS = re.compile(r"QVdTO[A-Za-z0-9+/]|[0-9a-f]{128}|AWS4-HMAC-SHA256|[Aa]uthorization:|Basic [A-Za-z0-9+/=]{12,}")


@check("--env prod without credentials exits 2 with a clear sentence and writes nothing")
def prod_without_credentials(stage):
    home = pathlib.Path.home()
    env = {
        "PATH": os.environ["PATH"], "HOME": str(stage.home), "AWS_EC2_METADATA_DISABLED": "true",
        "CARGO_HOME": os.environ.get("CARGO_HOME", str(home / ".cargo")),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(home / ".rustup")),
    }
    run = stage.tool.deploy("--env", "prod", "--yes", env=env, deadline=300)
    expect_that(run.exit == 2, "deploy --env prod", "exit 2", run.story())
    expect("API calls that write", run.writes(), [])
    sentence = run.last("failed").get("error", "")
    expect_that("credentials" in sentence, "the error", "a sentence that names credentials", run.story())
    return sentence


@check("--env prod unattended and without --yes is refused, and nothing is written")
def prod_without_consent(stage):
    # An account that answers, so that nothing but the missing consent is in the way.
    expect("the exit code of local start", stage.tool.run("local", "start").exit, 0)
    endpoint = stage.cloud().endpoint
    env = dict(os.environ, AWS_ACCESS_KEY_ID="dummy", AWS_SECRET_ACCESS_KEY="dummy", AWS_ENDPOINT_URL=endpoint)
    run = stage.tool.deploy("--env", "prod", env=env)
    expect_that(run.exit == 2, "deploy --env prod", "exit 2", run.story())
    expect("API calls that write", run.writes(), [])
    expect_that("--yes" in run.text, "what is said", "a sentence that names --yes", run.story())


@check("a mistake in the file exits 2 with its line, and three are shown at once")
def mistakes_at_once(stage):
    with stage.sources.edited(names.FILE, f'region = "{names.REGION}"', f'regoin = "{names.REGION}"'):
        stage.sources.edit(names.FILE, "min = 2\nmax = 10", "min = 5\nmax = 1")
        stage.sources.edit(names.FILE, "memory-mib = 1024", "memory-mib = 1025")
        run = stage.tool.run("deploy")
    expect_that(run.exit == 2, "deploy with three mistakes", "exit 2", run.story())
    for part in ("regoin", "1025", "max", "ielts.toml:"):
        expect_that(part in run.text, "what is shown", f"{part!r} in it", run.story(60))


@check("every line of --output json is an event, numbered and in order", needs=[fresh_deploy])
def ndjson(stage):
    lines = 0
    for run in stage.tool.runs_of("deploy"):
        if not run.json:
            continue
        killed = run.exit is None or run.exit < 0
        out = run.out[:-1] if killed and run.malformed() == run.out[-1:] else run.out
        malformed = [line for line in run.malformed() if line in out]
        expect(f"lines that are no JSON object: {run.command}", malformed, [])
        events = run.events()
        expect("the events' numbers", [event["seq"] for event in events], list(range(1, len(events) + 1)))
        times = [event["at_ms"] for event in events]
        expect("the events' times, in order", times, sorted(times))
        if not killed:
            expect(f"the last event: {run.story(5)}", events[-1]["event"] if events else None, "ended")
        lines += len(out)
    return f"{lines} lines of {len(stage.tool.runs_of('deploy'))} deploys"


@check("no secret in any output or log", needs=[fresh_deploy])
def no_secret(stage):
    stage.keep_log()
    texts = {f"{number}: {run.command}": run.text for number, run in enumerate(stage.tool.runs)}
    texts |= {f"log of cloud {number}": log for number, log in enumerate(stage.logs)}
    expect_that(any(stage.logs), "the cloud's log", "some lines, to look for secrets in", "none")
    found = [f"{name}: …{text[max(0, match.start() - 60):match.start() + 12]}…"
             for name, text in texts.items() for match in SECRETS.finditer(text)]
    expect("secrets", found, [])
    return f"{len(texts)} texts, {sum(map(len, texts.values()))} characters"
