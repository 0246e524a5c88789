"""A deploy of what is deployed: no write, no revision; and the verbs that only look."""

from ..stage import deployed
from ..verdict import check, expect, expect_that
from .fresh import fresh_deploy


@check("a second deploy exits 0 and writes nothing", needs=[fresh_deploy])
def second_deploy(stage):
    run = deployed(stage.tool.deploy())
    expect("API calls that write", run.writes(), [])
    expect("writes as counted in the last event", run.last("ended").get("writes"), 0)
    expect_that(run.events("called"), "API calls told as events", "some reads", "none")
    expect("deployments that began", run.events("following"), [])
    return f"{run.last('ended').get('reads')} reads, {run.elapsed:.1f} s"


@check("a second deploy makes no new revision", needs=[second_deploy])
def no_new_revision(stage):
    revisions = {family: len(arns) for family, arns in stage.account().active_revisions().items()}
    expect("ACTIVE revisions", revisions, {"ielts-backend": 1, "ielts-frontend": 1})


@check("plan exits 0 when nothing is pending", needs=[fresh_deploy])
def plan_is_empty(stage):
    run = stage.tool.run("plan")
    expect_that(run.exit == 0, "plan", "exit 0", run.story())


@check("smoke exits 0", needs=[fresh_deploy])
def smoke(stage):
    run = stage.tool.run("smoke")
    expect_that(run.exit == 0, "smoke", "exit 0", run.story())
