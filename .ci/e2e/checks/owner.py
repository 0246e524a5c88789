"""Any file: the repository's own deploy.toml, and one with another company, account and region."""

import re

from .. import names
from ..stage import deployed
from ..tool import WARM_DEADLINE
from ..verdict import check, expect, expect_that
from .fresh import fresh_deploy


def _proven(stage, *args, config=names.FILE):
    """Deploys twice: the second deploy finds everything as the file says."""
    for_the_first = ("deploy", "--output", "json", *args)
    first = deployed(stage.tool.run(*for_the_first, deadline=WARM_DEADLINE, config=config))
    again = deployed(stage.tool.run(*for_the_first, deadline=WARM_DEADLINE, config=config))
    expect("API calls that write, deployed again", again.writes(), [])
    return first


@check("the repository's own deploy.toml is deployed and proven, whatever it names", needs=[fresh_deploy])
def own(stage):
    text = (stage.root / "deploy.toml").read_text(encoding="utf-8")
    local = re.search(r'^\[env\.([^].]+)\]\s*\n(?:(?!\[).*\n)*?kind\s*=\s*"local"', text, re.MULTILINE)
    expect_that(local, "deploy.toml", "an environment of kind local", "none")
    stage.stop()
    return f"{_proven(stage, '--env', local[1], config=None).elapsed:.1f} s"


@check("another company, account and region: nothing but the file is changed", needs=[fresh_deploy])
def another(stage):
    account, region = "481516234299", "eu-central-1"
    text = (stage.root / names.FILE).read_text(encoding="utf-8")
    try:
        stage.sources.edit(names.FILE, "ielts", "acme", text.count("ielts"))
        stage.sources.edit(names.FILE, f'region = "{names.REGION}"', f'account = "{account}"\nregion = "{region}"')
        run = _proven(stage)
        status = stage.status()
        expect("what the embedded cloud is", (status["account"], status["region"]), (account, region))
    finally:
        stage.sources.restore()
        stage.stop()
    return f"{run.elapsed:.1f} s"
