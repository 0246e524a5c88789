"""Images from a Dockerfile: built by real engines, pushed by the tool, deployed by digest."""

import shutil

from .. import bases, docker, names, web
from ..stage import deployed
from ..verdict import check, expect, expect_that
from .fresh import fresh_deploy

CARGO = 'build = { cargo = "backend" }'
# The service's own static binary, so that no base image has to come from anywhere.
DOCKERFILE = """FROM scratch AS base
ARG GREETING
LABEL greeting=$GREETING
FROM base
COPY backend /app/backend
USER 65532:65532
ENTRYPOINT ["/app/backend"]
"""
ENGINES = ("docker", "podman", "buildah")


def _folder(stage):
    folder = stage.root / "target" / "ci" / "engine"
    folder.mkdir(parents=True, exist_ok=True)
    binaries = list((stage.root / "target" / "image").glob("*/image/backend"))
    expect("compiled backends", len(binaries), 1)
    shutil.copy(binaries[0], folder / "backend")
    (folder / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")


def _by(stage, engine, dockerfile="Dockerfile"):
    build = f'build = {{ dockerfile = "target/ci/engine/{dockerfile}", args = {{ GREETING = "hi" }}, engine = "{engine}" }}'
    return stage.sources.edited(names.FILE, CARGO, build)


@check("a Dockerfile built by docker is pushed and deployed by its digest", needs=[fresh_deploy])
def by_docker(stage):
    _folder(stage)
    before = stage.rows()["backend"]["digest"]
    with docker.daemon(stage.root / "target" / "ci" / "dockerd.log") as env, _by(stage, "docker"):
        run = deployed(stage.tool.deploy(env=env))
        digest = stage.rows()["backend"]["digest"]
        expect_that(digest != before, "the digest of what runs", f"another than {before}", digest)
        expect("the digest that was built", [it["digest"] for it in run.events("built") if it["service"] == "backend"], [digest])
        again = deployed(stage.tool.deploy(env=env))
        expect("API calls that write, deployed again", again.writes(), [])
        expect("what was taken out of the engine again", [line for line in again.out if '"step":"push' in line], [])
    return f"{run.elapsed:.1f} s, again {again.elapsed:.1f} s"


@check("a Dockerfile that fails shows the failing step and writes nothing", needs=[by_docker])
def fails(stage):
    folder = stage.root / "target" / "ci" / "engine"
    (folder / "Bad").write_text("FROM scratch\nCOPY nothing /\n", encoding="utf-8")
    with docker.daemon(stage.root / "target" / "ci" / "dockerd.log") as env, _by(stage, "docker", "Bad"):
        run = stage.tool.deploy(env=env)
    expect("the exit code", run.exit, 2)
    expect("API calls that write", run.writes(), [])
    expect_that("nothing" in run.last("failed").get("error", ""), "the error", "the step's name", run.story())


@check("podman and buildah build the same Dockerfile", needs=[by_docker])
def by_others(stage):
    times = []
    for engine in ENGINES[1:]:
        with _by(stage, engine):
            run = stage.tool.run("build", "--output", "json")
        expect_that(run.exit == 0, f"a build by {engine}", "exit 0", run.story())
        times.append(f"{engine} {run.elapsed:.1f} s")
    return ", ".join(times)


@check("the repository's own Dockerfiles give small images that serve, by one line each", needs=[by_docker])
def own(stage):
    with docker.daemon(stage.root / "target" / "ci" / "dockerd.log") as env:
        # This machine's compiler and crates stand in for the public base image, which cannot be had from everywhere.
        base = bases.rust(env)
        for key in names.KEYS:
            build = f'build = {{ dockerfile = "{key}/Dockerfile", context = ".", args = {{ BUILD_IMAGE = "{base}" }} }}'
            stage.sources.edit(names.FILE, f'build = {{ cargo = "{key}" }}', build)
        try:
            run = deployed(stage.tool.deploy(env=env))
        finally:
            stage.sources.restore()
    answer = web.ask(stage.cloud().url, "POST", "/", web.form_of((6.5, 6.5, 5.0, 7.0)), web.FORM)
    expect("the overall band on the page", web.overall_in(answer.body), "6.5")
    sizes = {event["service"]: event["bytes"] for event in run.events("built")}
    expect_that(max(sizes.values()) < 8 << 20, "the images' sizes", "below 8 MiB each", sizes)
    return f"{run.elapsed:.1f} s, {sizes}"


@check("the package built again: the old digest, nothing pushed", needs=[by_docker])
def back(stage):
    run = deployed(stage.tool.deploy())
    expect("steps that push", [step for step in run.events("step-ended") if step["step"].startswith("push")], [])
