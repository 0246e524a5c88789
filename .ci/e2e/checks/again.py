"""A deploy of what is deployed: no write, no revision; and the verbs that only look."""

import os

from .. import names
from ..stage import deployed
from ..verdict import check, expect, expect_that
from .fresh import fresh_deploy


@check("a second deploy exits 0 and writes nothing", needs=[fresh_deploy])
def second_deploy(stage):
    run = deployed(stage.tool.deploy())
    expect("API calls that write", run.writes(), [])
    expect("writes as counted in the last event", run.last("ended").get("writes"), 0)
    expect_that(run.events("called"), "API calls emitted as events", "some reads", "none")
    expect("deployments that began", run.events("following"), [])
    return f"{run.last('ended').get('reads')} reads, {run.elapsed:.1f} s"


@check("a second deploy makes no new revision", needs=[second_deploy])
def no_new_revision(stage):
    revisions = {family: len(arns) for family, arns in stage.account().active_revisions().items()}
    expect("ACTIVE revisions", revisions, {family: 1 for family in names.FAMILIES})


@check("plan exits 0 when nothing is pending", needs=[fresh_deploy])
def plan_is_empty(stage):
    run = stage.tool.run("plan")
    expect_that(run.exit == 0, "plan", "exit 0", run.story())


@check("printed as text: a row for each service, the URL, and what it took, as the last line", needs=[second_deploy])
def text(stage):
    run = stage.tool.run("deploy")
    expect_that(run.exit == 0, "deploy", "exit 0", run.story())
    rows = stage.rows()
    for key, row in rows.items():
        shown = [line for line in run.out if row["service"] in line]
        expect_that(any("2/2" in line and row["revision"] in line for line in shown), f"the row of {key}",
                    f"2/2 and {row['revision']}", shown)
    expect_that(stage.cloud().url in run.text, "the text", "the load balancer's URL in it", run.story())
    expect_that(" 0 writes" in run.out[-1], "the last line", "0 writes in it", run.out[-1])


@check("a proxy in the environment does not come between the tool and its own cloud", needs=[second_deploy])
def behind_a_proxy(stage):
    # Nothing listens there: whatever went that way would fail.
    dead = "http://127.0.0.1:9"
    env = dict(os.environ, HTTP_PROXY=dead, http_proxy=dead, ALL_PROXY=dead, CARGO_NET_OFFLINE="true")
    env.pop("NO_PROXY", None)
    env.pop("no_proxy", None)
    deployed(stage.tool.deploy(env=env))


@check("smoke exits 0", needs=[fresh_deploy])
def smoke(stage):
    run = stage.tool.run("smoke")
    expect_that(run.exit == 0, "smoke", "exit 0", run.story())
