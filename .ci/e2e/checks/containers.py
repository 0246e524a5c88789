"""Any applications: a backend in Java and a frontend in Node, from Dockerfiles, as containers on the embedded cloud."""

import subprocess
import time

from .. import bases, docker, names, web
from ..load import RATE, Kind, Load, identity
from ..stage import deployed
from ..verdict import check, expect, expect_that
from .fresh import fresh_deploy

APPS = ".ci/e2e/apps"
PARAMETER = "/ielts/local/greeting"
LABEL = "label=embedded-cloud.id"
# The last connections of a roll end after the deploy does: visitors stay a little longer.
AFTERWARDS = 3

KINDS = [
    Kind("/api/health", "GET", "/api/health", identity("frontend")),
    Kind("/actuator/health", "GET", "/actuator/health", identity("backend")),
    Kind("/api/greeting", "GET", "/api/greeting", lambda answer: answer.status == 200 and "greeting" in answer.body),
    # The page asks the backend by its Service Connect name.
    Kind("/", "GET", "/", lambda answer: answer.status == 200 and "from version" in answer.body),
]


class Bench:
    """The checks' file with the two applications in place of its own."""

    def __init__(self, stage, env):
        self.stage, self.env = stage, env
        for key, app, command in (
            ("backend", "java", '"java", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-cp", "/app", "Backend", "probe"'),
            ("frontend", "node", '"node", "/app/server.js", "probe"'),
        ):
            arguments = f'RUNTIME_IMAGE = "ci-base/{app}:1", VERSION = "1"'
            build = f'build = {{ dockerfile = "{APPS}/{app}/Dockerfile", context = "{APPS}/{app}", args = {{ {arguments} }} }}'
            self.edit(f'build = {{ cargo = "{key}" }}', build)
            self.edit(f'command = ["CMD", "/app/{key}", "probe"]', f'command = ["CMD", {command}]')
        self.edit('# environment = { LOG_LEVEL = "info" }', f'secrets = {{ GREETING = "{PARAMETER}" }}')

    def edit(self, old, new, times=1):
        self.stage.sources.edit(names.FILE, old, new, times)

    def deploy(self):
        return self.stage.tool.deploy(env=self.env)

    def docker(self, *args):
        """What docker prints, by lines."""
        asked = subprocess.run(["docker", *args], env=self.env, capture_output=True, text=True, check=True)
        return asked.stdout.split()

    def tasks(self):
        """The names of the containers that run, without what stands beside them."""
        filters = ["--filter", LABEL, "--filter", "label=embedded-cloud.role=container"]
        return self.docker("ps", *filters, "--format", "{{.Names}}")


@check("Node and Java from Dockerfiles are deployed as containers, found by what their images are", needs=[fresh_deploy])
def deploy(stage):
    stage.stop()
    env = stage.held.enter_context(docker.daemon(stage.root / "target" / "ci" / "dockerd.log"))
    bases.node(env)
    bases.java(env, stage.root / "target" / "ci" / "jre")
    stage.bench = Bench(stage, env)
    expect("local start", stage.tool.run("local", "start", env=env).exit, 0)
    account, secret = stage.account(), stage.home / "greeting"
    secret.write_text("hello", encoding="utf-8")
    account.aws(f"aws ssm put-parameter --type SecureString --name {PARAMETER} --value file://{secret}")
    secret.unlink()
    run = deployed(stage.bench.deploy())
    tasks = stage.bench.tasks()
    expect_that(len(tasks) == 4, "containers of tasks", "two of each service", tasks)
    return f"{run.elapsed:.1f} s"


@check("the page asks the backend by its Service Connect name, without a proxy; the secret is there", needs=[deploy])
def connected(stage):
    answer = web.get(stage.cloud().url, "/")
    expect("the page", (answer.status, answer.body), (200, "<p>hello, from version 1</p>"))
    frontends = [name for name in stage.bench.tasks() if "-frontend-" in name]
    shown = stage.bench.docker("inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", *frontends)
    expect("proxy variables of the frontend", [line for line in shown if "proxy" in line.lower()], [])


@check("aws ecs execute-command runs inside the container, which knows Service Connect's names", needs=[deploy])
def execute_command(stage):
    fetch = "fetch('http://backend.ielts.local:8080/actuator/health').then((it) => it.text()).then(console.log)"
    said = stage.account().execute(names.SERVICES[1], "frontend", f'node -e "{fetch}"')
    expect_that('"UP"' in said and "Exiting session" in said, "the session", "the backend's health, and an end", said)


@check("each task has an address, a read-only root and a limit on memory of its own", needs=[deploy])
def isolated(stage):
    shape = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}|{{.HostConfig.ReadonlyRootfs}}|{{.HostConfig.Memory}}"
    shown = [line.split("|") for line in stage.bench.docker("inspect", "--format", shape, *stage.bench.tasks())]
    expect("different addresses", len({address for address, *_ in shown if address}), 4)
    expect("roots and limits", {tuple(rest) for _, *rest in shown}, {("true", str(1024 << 20))})


@check("a new version of both rolls under load: no failure", needs=[connected])
def update(stage):
    stage.bench.edit('VERSION = "1"', 'VERSION = "2"', times=2)
    stage.bench.edit('# workload = "containers" ', 'workload = "containers" ')
    with Load(stage.cloud().url, KINDS) as load:
        run = stage.bench.deploy()
        time.sleep(AFTERWARDS)
    deployed(run)
    expect("services that rolled", sorted(event["service"] for event in run.events("following")), ["backend", "frontend"])
    expect_that(not load.failures, "requests while services roll", "no failure", load.worst())
    expect_that(load.rate >= 0.9 * RATE, "the visitors' rate", f"about {RATE} requests a second", load)
    answer = web.get(stage.cloud().url, "/")
    expect("the page", (answer.status, answer.body), (200, "<p>hello, from version 2</p>"))
    return str(load)


@check("what was replaced got its stop signal, and its last words are in its log", needs=[update])
def stopped(stage):
    account = stage.account()
    for key in names.KEYS:
        events = account.aws(f"aws logs filter-log-events --log-group-name /ecs/ielts-{key}")["events"]
        said = [event["message"] for event in events]
        expect(f"how often the first tasks of {key} were asked to stop", said.count("asked to stop"), 2)


@check("a version that takes more memory than its limit is rolled back, and reported as that", needs=[update])
def out_of_memory(stage):
    stage.bench.edit("[service.backend.container]\n", '[service.backend.container]\nenvironment = { LEAK = "yes", JAVA_TOOL_OPTIONS = "-XX:MaxDirectMemorySize=4g" }\n')
    run = stage.bench.deploy()
    expect("the exit code", run.exit, 1)
    causes = [event.get("cause") for event in run.events("explained")]
    expect_that("out-of-memory" in str(causes), "the cause", "out of memory", run.story(60))
    answer = web.get(stage.cloud().url, "/")
    expect("the page", (answer.status, answer.body), (200, "<p>hello, from version 2</p>"))
    return f"{run.elapsed:.1f} s"


# Needs no other check: the changed files are restored also after one that failed, or every later check would see them.
@check("local stop leaves no container, no network and no image of the cloud")
def nothing_left(stage):
    try:
        bench = stage.bench
        stage.stop()
        expect("containers", bench.docker("ps", "--all", "--quiet", "--filter", LABEL), [])
        expect("networks", bench.docker("network", "ls", "--quiet", "--filter", LABEL), [])
        expect("images", bench.docker("images", "--quiet", "--filter", "reference=localhost/embedded-cloud-*/*"), [])
    finally:
        stage.sources.restore()
        stage.held.close()


@check("the next deploy, of packages, runs as processes again", needs=[nothing_left])
def back(stage):
    deployed(stage.tool.deploy())
