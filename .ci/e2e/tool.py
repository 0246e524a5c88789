"""`cargo xtask` as a child process: its exit code, what it wrote, and its events."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time

from . import names


# The local environment's settling time, a build of one crate, and room for a slow machine.
WARM_DEADLINE = 420


class Run:
    """One run of the tool. Its output is read while it runs, so that a full pipe never stops it."""

    def __init__(self, command, env, cwd, on_event=None):
        self.command = " ".join(command)
        self.json = "json" in command
        self.out, self.err = [], []
        self.exit, self.timed_out = None, False
        self._on_event = on_event
        self._began = time.monotonic()
        # A process group of its own: a kill must take Cargo and the tool, and neither this program nor the cloud.
        self._child = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", errors="replace", start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(self._child.stdout, self.out, True), daemon=True),
            threading.Thread(target=self._read, args=(self._child.stderr, self.err, False), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines, is_stdout):
        for line in stream:
            lines.append(line.rstrip("\n"))
            if is_stdout and self._on_event:
                self._on_event(self, line)

    def wait(self, deadline):
        """Waits for the end; at the deadline (seconds) the process group is killed."""
        try:
            self._child.wait(deadline)
        except subprocess.TimeoutExpired:
            self.timed_out = True
            self.signal(signal.SIGKILL)
            self._child.wait()
        self.elapsed = time.monotonic() - self._began
        for reader in self._readers:
            # Whoever inherited a pipe may hold it open for good: what it writes is not the tool's output.
            reader.join(5)
        self.exit = None if self.timed_out else self._child.returncode
        return self

    def signal(self, number):
        """Signals the whole process group; one that is gone needs none."""
        try:
            os.killpg(self._child.pid, number)
        except ProcessLookupError:
            pass

    def alive(self):
        return self._child.poll() is None

    @property
    def text(self):
        return "\n".join(self.out + self.err)

    def malformed(self):
        """The lines of standard output that are no JSON object."""
        return [line for line in self.out if not isinstance(_parsed(line), dict)]

    def events(self, *kinds):
        """The events of these kinds, or all."""
        events = [event for event in map(_parsed, self.out) if isinstance(event, dict) and "event" in event]
        return [event for event in events if not kinds or event["event"] in kinds]

    def last(self, kind):
        """The last event of a kind; an empty one when there is none."""
        return (self.events(kind) or [{}])[-1]

    def object(self):
        """The one JSON object that a reading verb prints."""
        parsed = _parsed("\n".join(self.out))
        return parsed if isinstance(parsed, dict) else {}

    def writes(self):
        """The API calls that write, by name."""
        return [f"{call['service']} {call['operation']}" for call in self.events("called") if call["write"]]

    def story(self, lines=25):
        """How it ended, for a failed check."""
        shown = {"failed", "explained", "diagnosed", "warned", "settled", "step-failed", "ended"}
        picked = [line for line in self.out if not self.json or (_parsed(line) or {}).get("event") in shown]
        how = "killed at its deadline" if self.timed_out else f"exit {self.exit}"
        return "\n".join([f"{how} after {self.elapsed:.1f} s: {self.command}"] + (picked + self.err)[-lines:])


def _parsed(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


class Tool:
    """Runs the tool in the checkout, and remembers every run."""

    def __init__(self, root):
        self.root = root
        self.runs = []

    def start(self, *args, env=None, on_event=None, config=names.FILE):
        """Starts a verb for the checks' file, or for deploy.toml without one; `env` replaces the whole environment."""
        command = ["cargo", "xtask", *args[:1], *(["--config", config] if config else []), *args[1:]]
        print(f"     $ {' '.join(command)}")
        run = Run(command, env or dict(os.environ), self.root, on_event)
        self.runs.append(run)
        return run

    def run(self, *args, deadline=600, env=None, config=names.FILE):
        """Runs a verb to its end."""
        return self.start(*args, env=env, config=config).wait(deadline)

    def elsewhere(self, folder, *args, deadline=120):
        """Runs the program itself in another workspace; it is there once a verb was run."""
        program = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", self.root / "target")) / "xtask" / "xtask"
        run = Run([str(program), "--config", str(self.root / names.FILE), *args], dict(os.environ), folder)
        self.runs.append(run)
        return run.wait(deadline)

    def deploy(self, *args, deadline=WARM_DEADLINE, env=None):
        """Deploys, with its events."""
        return self.run("deploy", "--output", "json", *args, deadline=deadline, env=env)

    def runs_of(self, verb):
        """The runs of a verb so far, in their order."""
        return [run for run in self.runs if run.command.startswith(f"cargo xtask {verb} ") or
                run.command == f"cargo xtask {verb}"]

    def kill_all(self):
        for run in self.runs:
            if run.alive():
                run.signal(signal.SIGKILL)
