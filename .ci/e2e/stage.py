"""What the checks share: the tool, the cloud as it is now, the sources, and what earlier checks found out."""

import contextlib
import pathlib
import random
import subprocess
from urllib.parse import urlsplit

from . import names, proc
from .account import Account
from .sources import Sources
from .tool import Tool
from .verdict import Unexpected, expect


class Cloud:
    """The embedded cloud's process, as `local status` reports it."""

    def __init__(self, status):
        self.endpoint, self.url, self.pid = status["endpoint"], status["url"], status["pid"]

    @property
    def ports(self):
        return [urlsplit(address).port for address in (self.endpoint, self.url)]

    def tree(self):
        return proc.tree(self.pid)


class Stage:
    """One run of all checks on one checkout."""

    def __init__(self, root, aws, seed):
        self.root = pathlib.Path(root)
        self.tool = Tool(self.root)
        self.sources = Sources(self.root)
        # What a run left that was killed and could not.
        self.sources.restore()
        self.random = random.Random(seed)
        self.logs = []
        self.transcripts = []
        # What earlier checks did and saw, for later ones to compare with: the first deploy and the account that it
        # made, a deploy of an update, one that failed, the visitors of the last roll.
        self.first = self.shape = self.update_run = self.failed_run = self.load = None
        # What stands for the time of several checks, such as an engine's daemon.
        self.held = contextlib.ExitStack()
        # How many different definitions of each family there were since the cloud was started.
        self.definitions = {}
        self.work_tree = self._work_tree()
        self._aws = aws
        self.home = self.root / "target" / "ci" / "home"
        self.home.mkdir(parents=True, exist_ok=True)

    def status(self):
        """`local status`."""
        run = self.tool.run("local", "status", "--output", "json")
        expect("the exit code of local status", run.exit, 0)
        if "running" not in run.object():
            raise Unexpected("what local status prints", "one JSON object with `running`", run.story())
        return run.object()

    def cloud(self):
        """The cloud that runs."""
        status = self.status()
        expect("whether the embedded cloud runs", status["running"], True)
        return Cloud(status)

    def account(self):
        """The cloud's account through the AWS CLI."""
        account = Account(self._aws, self.cloud().endpoint, self.home)
        self.transcripts.append(account.transcript)
        return account

    def rows(self):
        """`status`, a row for each service by its key."""
        run = self.tool.run("status", "--output", "json")
        expect("the exit code of status", run.exit, 0)
        rows = {row["service"]: row for row in run.object().get("services", [])}
        found = {key: rows.get(service) for key, service in zip(names.KEYS, names.SERVICES)}
        if None in found.values():
            raise Unexpected("what status prints", "a row for each service", run.story())
        return found

    def stop(self):
        """`local stop`; the log is kept, which the next start overwrites."""
        self.keep_log()
        run = self.tool.run("local", "stop", deadline=120)
        expect("the exit code of local stop", run.exit, 0)

    def keep_log(self):
        log = self.root / "target" / "local" / "cloud.log"
        if log.exists():
            self.logs.append(log.read_text(encoding="utf-8", errors="replace"))

    def close(self):
        """Leaves nothing behind: no process, no edited file."""
        self.tool.kill_all()
        self.sources.restore()
        self.stop()
        self.held.close()
        expect("git's lock", list(self.root.glob(".git/*.lock")), [])
        expect("what git says of the work tree", self._work_tree(), self.work_tree)

    def _work_tree(self):
        asked = ["git", "status", "--porcelain"]
        return subprocess.run(asked, cwd=self.root, capture_output=True, text=True, check=False).stdout


def deployed(run):
    """Demands that a deploy ended well."""
    if run.exit != 0:
        raise Unexpected("a deploy", "exit 0", run.story())
    return run
