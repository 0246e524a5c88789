"""The embedded cloud's process: taken ports, a crash, a stop, and nothing left behind."""

import contextlib
import os
import signal
import socket

from .. import proc, web
from ..stage import Cloud, deployed
from ..verdict import check, expect, expect_that
from .fresh import bands_through_the_page

# Tasks get SIGTERM and, some seconds later, SIGKILL.
PATIENCE = 20


def _take(ports):
    """Listens on these ports, or knows that somebody else does."""
    held = contextlib.ExitStack()
    for port in ports:
        listener = held.enter_context(socket.socket())
        # As servers do: a port whose last connections are still fading is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            listener.listen()
    return held


def _image_folder(stage):
    link = stage.root / "target" / "local" / "scratch"
    return link.resolve() if link.exists() else None


@check("a crashed cloud is noticed", needs=[bands_through_the_page])
def crash(stage):
    deployed(stage.tool.deploy())
    cloud = stage.cloud()
    stage.crashed, stage.crashed_ports = cloud.tree(), cloud.ports
    expect_that(len(stage.crashed) >= 5, "the cloud's processes", "itself and four tasks", stage.crashed)
    stage.keep_log()
    os.kill(cloud.pid, signal.SIGKILL)
    expect("survivors of SIGKILL", proc.survivors(stage.crashed[:1], PATIENCE), [])
    expect("whether local status says that it runs", stage.status()["running"], False)


@check("the next deploy replaces it, on other ports when its own are taken, with no task left over", needs=[crash])
def replaced(stage):
    with _take({4566, 8088, *stage.crashed_ports}):
        run = deployed(stage.tool.deploy())
        cloud = stage.cloud()
        taken = {4566, 8088, *stage.crashed_ports} & set(cloud.ports)
        expect("taken ports that it claims", taken, set())
        expect("tasks of the crashed cloud", proc.survivors(stage.crashed, PATIENCE), [])
        answer = web.ask(cloud.url, "POST", "/", web.form_of((9, 6, 6, 6)), web.FORM)
        expect("the overall band through the page", (answer.status, web.overall_in(answer.body)), (200, "7.0"))
    return f"ports {cloud.ports}, {run.elapsed:.1f} s"


@check("down takes the environment away, and plan then exits 3", needs=[bands_through_the_page])
def down(stage):
    run = stage.tool.run("down")
    expect_that(run.exit == 0, "down", "exit 0", run.story())
    account = stage.account()
    expect("load balancers", account.aws("aws elbv2 describe-load-balancers")["LoadBalancers"], [])
    expect("target groups", account.aws("aws elbv2 describe-target-groups")["TargetGroups"], [])
    tasks = [process for process in stage.cloud().tree() if process.name in ("backend", "frontend")]
    expect("task processes", proc.survivors(tasks, PATIENCE), [])
    run = stage.tool.run("plan")
    expect_that(run.exit == 3, "plan after down", "exit 3", run.story())


@check("a second checkout's cloud gets ports of its own, and its stop leaves the first alone",
       needs=[bands_through_the_page])
def two_checkouts(stage):
    first = stage.cloud()
    folder = stage.root / "target" / "ci" / "second"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text("[workspace]\n", encoding="utf-8")
    second = Cloud(stage.tool.elsewhere(folder, "local", "start", "--output", "json").object())
    try:
        both = second.tree()
        expect("ports that both claim", set(first.ports) & set(second.ports), set())
        expect_that(first.pid != second.pid, "the second cloud's process", "another", second.pid)
    finally:
        expect("the exit code of its stop", stage.tool.elsewhere(folder, "local", "stop").exit, 0)
    expect("processes of the second left", proc.survivors(both, PATIENCE), [])
    expect("the first cloud's process", stage.cloud().pid, first.pid)


@check("local stop leaves no process, no port and no file behind", needs=[bands_through_the_page])
def stop(stage):
    deployed(stage.tool.deploy())
    cloud = stage.cloud()
    processes = cloud.tree()
    ports = {port for _, _, _, port in proc.listening(processes)}
    expect_that(len(ports) >= 7, "the cloud's ports", "at least seven", sorted(ports))
    images = _image_folder(stage)
    expect_that(images and images.is_dir(), "the folder of unpacked images", "there", images)
    stage.stop()
    expect("processes left", proc.survivors(processes, PATIENCE), [])
    expect("ports that still answer", [port for port in sorted(ports) if proc.accepts(port)], [])
    expect("whether the unpacked images are still there", images.exists(), False)
    expect("whether local status says that it runs", stage.status()["running"], False)
    return f"{len(processes)} processes, {len(ports)} ports"


@check("local stop of what does not run exits 0", needs=[stop])
def stop_again(stage):
    stage.stop()
