"""Docker's daemon: the one that runs, or one of its own for as long as it is needed.

`python3 -B -m e2e.docker COMMAND…` runs a command with it.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from .verdict import Unexpected

START = 60


@contextlib.contextmanager
def daemon(log):
    """Gives the environment in which `docker` reaches a daemon."""
    env = dict(os.environ)
    if _answers(env):
        yield env
        return
    # A socket's path is short, and a checkout's may not be.
    with tempfile.TemporaryDirectory(prefix="ci-docker-") as folder:
        home = pathlib.Path(folder)
        env["DOCKER_HOST"] = f"unix://{home}/docker.sock"
        command = ["dockerd", "--host", env["DOCKER_HOST"], "--data-root", f"{home}/data", "--exec-root", f"{home}/exec",
                   "--pidfile", f"{home}/docker.pid"]
        with open(log, "w", encoding="utf-8") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        try:
            _wait(child, env, log)
            yield env
        finally:
            child.terminate()
            child.wait(60)


def _wait(child, env, log):
    end = time.monotonic() + START
    while not _answers(env):
        if child.poll() is not None or time.monotonic() > end:
            raise Unexpected("dockerd", f"an answer within {START} s", pathlib.Path(log).read_text()[-2000:])
        time.sleep(0.3)


def _answers(env):
    asked = subprocess.run(["docker", "version"], env=env, capture_output=True, check=False)
    return asked.returncode == 0


def main(command):
    # Turned into an exception, so that the daemon is stopped.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    log = pathlib.Path("target/ci/dockerd.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with daemon(log) as env:
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
