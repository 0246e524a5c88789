"""The embedded cloud's page, without a script and in a real browser."""

import html
import re
import shutil
import subprocess

from .. import names, web
from ..verdict import check, expect, expect_that
from .broken import LAST_WORDS, exits_at_start
from .fresh import fresh_deploy

PATIENCE = 60


def _words(page):
    """What a person reads."""
    body = re.sub(r"<(style|script)>.*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def _browser(*args):
    program = shutil.which("chromium")
    if program is None:
        return None
    command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1000", "--timeout=5000", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


@check("local open names the page, which shows both services without a script", needs=[fresh_deploy])
def shown(stage):
    run = stage.tool.run("local", "open")
    stage.page = run.out[-1] if run.out else ""
    expect("the page's address", (run.exit, stage.page), (0, stage.status()["endpoint"]))
    said = _words(web.get(stage.page, "/").body)
    for service in names.SERVICES:
        expect_that(f"{service} {names.CLUSTER} ACTIVE 2/2" in said, "the page", f"{service}, running", said)


@check("chromium shows a service after a failed release, its stopped tasks with their reason, and a task's log", needs=[shown, exits_at_start])
def in_a_browser(stage):
    url = f"{stage.page}/service/{names.CLUSTER}/{names.SERVICES[0]}"
    dom = _browser("--dump-dom", url)
    if dom is None:
        return "left out: no chromium on this machine"
    said = _words(dom)
    expect_that("exited with 42" in said, "the page of the backend", "why its tasks stopped", said)
    picture = stage.root / "target" / "ci" / "page.png"
    _browser(f"--screenshot={picture}", url)
    failed = next(row for row in dom.split("<tr>") if "exited with 42" in row)
    task = re.search(r'href="(/task/[^"]*)"', failed).group(1)
    log = _words(_browser("--dump-dom", f"{stage.page}{task}"))
    expect_that(LAST_WORDS in log, "the page of a stopped task", "the last line that it printed", log)
    return str(picture)
