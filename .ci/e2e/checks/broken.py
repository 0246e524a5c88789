"""A backend that never becomes healthy: the deploy fails, says why, and the old release goes on serving."""

import pathlib

from ..stage import deployed
from ..verdict import check, expect, expect_that
from .fresh import bands_through_the_page
from .update import deploy_under_load, expect_no_loss

EXITS = ("backend/src/main.rs", "fn main() -> ExitCode {\n", """fn main() -> ExitCode {
    if std::env::args().len() == 1 {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "backend: the licence of the question bank has expired");
        return ExitCode::from(42);
    }
""")
LAST_WORDS = "the licence of the question bank has expired"
UNHEALTHY = ("backend/src/actuator.rs", '"/actuator/health", get', '"/actuator/wealth", get')


def _fail(stage, edit, *args):
    """Deploys a broken backend under load; gives the run, after it was seen to change nothing."""
    before = deployed_rows(stage)
    with stage.sources.edited(*edit):
        run, load = deploy_under_load(stage, *args)
    expect_that(run.exit == 1, "a deploy of a broken backend", "exit 1: failed, the previous release serves",
                run.story())
    expect("what runs after the failed deploy", deployed_rows(stage), before)
    return run, load


def deployed_rows(stage):
    members = ("status", "running", "desired", "revision", "digest", "targets")
    return {key: {member: row[member] for member in members} for key, row in stage.rows().items()}


@check("a backend that exits at its start: exit 1, rolled back", needs=[bands_through_the_page])
def exits_at_start(stage):
    stage.failed_run, stage.load = _fail(stage, EXITS)
    return f"{stage.failed_run.elapsed:.1f} s"


@check("the old release serves while the new one fails", needs=[exits_at_start])
def old_serves(stage):
    return expect_no_loss(stage.load)


@check("the cause is named: exit code and the last line that the backend printed", needs=[exits_at_start])
def cause_of_exit(stage):
    text = stage.failed_run.text
    for part in ("cause", "exited with code 42", LAST_WORDS, "remedy"):
        expect_that(part in text, "what the failed deploy prints", f"{part!r} in it", stage.failed_run.story())


@check("the source restored and deployed again: exit 0, the old digest, nothing written", needs=[exits_at_start])
def restored(stage):
    before = deployed_rows(stage)
    run = deployed(stage.tool.deploy())
    expect("API calls that write", run.writes(), [])
    expect("what runs", deployed_rows(stage), before)


@check("a backend that answers 404 on its health path: exit 1, rolled back", needs=[restored])
def unhealthy(stage):
    stage.failed_run, stage.load = _fail(stage, UNHEALTHY, "--output", "json")
    return f"{stage.failed_run.elapsed:.1f} s"


@check("the old release serves while the new one is unhealthy", needs=[unhealthy])
def old_serves_still(stage):
    return expect_no_loss(stage.load)


@check("the cause is named: the health check and its 404", needs=[unhealthy])
def cause_of_404(stage):
    diagnosed = stage.failed_run.last("diagnosed")
    diagnosis = diagnosed.get("diagnosis") or {}
    cause = diagnosis.get("cause") or {}
    expect("the service that failed", diagnosed.get("service"), "backend")
    expect("what its health check was answered", [check["answered"] for check in diagnosis.get("checks", [])], ["404"])
    for part in ("/actuator/health", "404"):
        expect_that(part in cause.get("cause", ""), "the cause", f"{part!r} in it", stage.failed_run.story())
    expect_that(cause.get("remedy"), "the remedy", "a sentence", cause)


@check("the evidence of the failure is in one folder", needs=[unhealthy])
def evidence(stage):
    folder = pathlib.Path(stage.failed_run.last("evidence-kept")["folder"])
    files = {file.name for file in folder.iterdir()}
    wanted = {"plan.json", "plan.txt", "events.ndjson", "calls.ndjson", "tasks.json", "targets.json", "logs"}
    expect_that(wanted <= files, f"files in {folder}", str(sorted(wanted)), str(sorted(files)))
    expect_that(any((folder / "logs").iterdir()), "the logs kept", "one at least", str(folder))


@check("deployed again after that: exit 0, nothing written", needs=[unhealthy])
def restored_again(stage):
    expect("API calls that write", deployed(stage.tool.deploy()).writes(), [])
