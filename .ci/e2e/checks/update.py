"""A changed line in the backend: only the backend rolls, and no visitor notices."""

import time

from .. import web
from ..load import RATE, Load
from ..stage import deployed
from ..tool import WARM_DEADLINE
from ..verdict import check, expect, expect_that
from .fresh import bands_through_the_page, fresh_deploy

SOURCE = "backend/src/bands.rs"
LITERAL = "Four recordings, 40 questions, about 30 minutes."
CHANGED = "Four recordings, 40 questions, some 30 minutes."
# The last connections of a roll end after the deploy does: visitors stay a little longer.
AFTERWARDS = 3


def deploy_under_load(stage, *args):
    """Deploys while visitors come; gives both."""
    with Load(stage.cloud().url) as load:
        run = stage.tool.run("deploy", *args, deadline=WARM_DEADLINE)
        time.sleep(AFTERWARDS)
    return run, load


def expect_no_loss(load):
    """Demands that each visitor got the right answer, and that there were enough of them to mean something."""
    expect_that(not load.failures, "requests while services roll", "no failure", load.worst())
    expect_that(load.rate >= 0.9 * RATE, "the visitors' rate", f"about {RATE} requests a second", load)
    return str(load)


@check("plan of a changed line in the backend exits 3 and writes nothing", needs=[fresh_deploy])
def plan_pending(stage):
    with stage.sources.edited(SOURCE, LITERAL, CHANGED):
        before = stage.rows()
        run = stage.tool.run("plan")
        expect_that(run.exit == 3, "plan", "exit 3", run.story())
        expect("what runs after plan", stage.rows(), before)


@check("a changed line in the backend is deployed: only the backend rolls", needs=[bands_through_the_page])
def update(stage):
    before = stage.rows()
    with stage.sources.edited(SOURCE, LITERAL, CHANGED):
        run, stage.load = deploy_under_load(stage, "--output", "json")
    deployed(run)
    after = stage.rows()
    expect("services that rolled", [event["service"] for event in run.events("following")], ["backend"])
    expect("the frontend", after["frontend"], before["frontend"])
    for member in ("digest", "revision"):
        old, new = before["backend"][member], after["backend"][member]
        expect_that(new and new != old, f"the backend's {member}", f"another than {old}", new)
    stage.update_run = run
    return f"{before['backend']['revision']} → {after['backend']['revision']} in {run.elapsed:.1f} s"


@check("50 requests a second on all paths during the roll: no failure", needs=[update])
def no_downtime(stage):
    return expect_no_loss(stage.load)


@check("the changed line is served", needs=[update])
def changed_line(stage):
    answer = web.get(stage.cloud().url, "/api/skills")
    expect_that(CHANGED in answer.body, "/api/skills", CHANGED, answer)


@check("the same source gives the same image again", needs=[update])
def reproducible(stage):
    digests = []
    for _ in range(2):
        run = deployed(stage.tool.deploy())
        digests.append({event["service"]: event["digest"] for event in run.events("built")})
        # A file that was touched is compiled again.
        (stage.root / SOURCE).touch()
    expect("the digests of two builds", digests[1], digests[0])
    original = {event["service"]: event["digest"] for event in stage.first.events("built")}
    expect("the digests after the line is changed back", digests[0], original)
