"""A deploy on an empty cloud: the page is there, it computes, and nothing is open to the network."""

from .. import names, proc, web
from ..stage import deployed
from ..verdict import check, expect, expect_that

# On a new machine this compiles the tool and both services.
COLD_DEADLINE = 1500

# Bands and their overall band by the published rule, each way of rounding among them.
EXAMPLES = [
    ((6.5, 6.5, 5.0, 7.0), 6.5, "a mean of 6.25 goes up to the half"),
    ((9.0, 6.0, 6.0, 6.0), 7.0, "a mean of 6.75 goes up to the whole"),
    ((6.5, 6.5, 5.5, 6.0), 6.0, "a mean of 6.125 goes down"),
    ((4.0, 3.5, 4.0, 4.0), 4.0, "a mean of 3.875 goes up"),
    ((8.5, 6.0, 6.0, 6.0), 6.5, "a mean of 6.625 goes down"),
    ((0, 0, 0, 0), 0.0, "the lowest"),
    ((9, 9, 9, 9), 9.0, "the highest"),
]


@check("a deploy on an empty cloud exits 0")
def fresh_deploy(stage):
    stage.stop()
    expect("whether the embedded cloud runs after local stop", stage.status()["running"], False)
    run = stage.first = deployed(stage.tool.deploy(deadline=COLD_DEADLINE))
    ended = run.last("ended")
    return f"{ended.get('reads')} reads, {ended.get('writes')} writes, {run.elapsed:.1f} s"


@check("status shows both services ACTIVE, 2/2, one deployment, healthy targets", needs=[fresh_deploy])
def status_rows(stage):
    for key, row in stage.rows().items():
        shown = (row["status"], row["running"], row["desired"], row["deployments"], row["rollout"], row["targets"])
        expect(f"the row of {key}", shown, ("ACTIVE", 2, 2, 1, "COMPLETED", "2/2 healthy"))
        expect_that(row["digest"], f"the digest of {key}", "one digest", row["digest"])


@check("the page answers on the load balancer's URL, with a form of four bands", needs=[fresh_deploy])
def page(stage):
    answer = web.get(stage.cloud().url, "/")
    expect("the page's status", answer.status, 200)
    expect("the form's fields", web.fields_in(answer.body), list(web.SKILLS))


@check("four bands posted through the page give the right overall band", needs=[page])
def bands_through_the_page(stage):
    url = stage.cloud().url
    for bands, overall, why in EXAMPLES:
        answer = web.ask(url, "POST", "/", web.form_of(bands), web.FORM)
        shown = (answer.status, web.overall_in(answer.body))
        expect(f"the overall band of {bands}: {why}", shown, (200, f"{overall:.1f}"))
    return f"{len(EXAMPLES)} examples"


@check("a band that is none comes back in the page with the field's name", needs=[page])
def wrong_band(stage):
    answer = web.ask(stage.cloud().url, "POST", "/", web.form_of((6.5, 9.5, 6, 6)), web.FORM)
    expect("the status", answer.status, 422)
    expect("the overall band shown", web.overall_in(answer.body), None)
    expect_that("Reading must be from 0 to 9" in answer.body, "the page", "names the field", answer)


@check("the API answers through /api/*", needs=[fresh_deploy])
def api(stage):
    url = stage.cloud().url
    bands, overall, _ = EXAMPLES[0]
    body = "{" + ",".join(f'"{skill}":{band}' for skill, band in zip(web.SKILLS, bands)) + "}"
    answer = web.ask(url, "POST", "/api/bands/overall", body, web.JSON)
    expect("the overall band", (answer.json() or {}).get("overall"), overall)
    skills = web.get(url, "/api/skills")
    expect("the skills", [skill["id"] for skill in (skills.json() or {}).get("skills", [])], list(web.SKILLS))


@check("each health path is answered by its own service", needs=[fresh_deploy])
def identities(stage):
    url = stage.cloud().url
    for path, service in (("/api/health", "frontend"), ("/actuator/health", "backend")):
        answer = web.get(url, path)
        said = answer.json() or {}
        expect(f"who answers {path}", (answer.status, said.get("service"), said.get("status")), (200, service, "UP"))


@check("nothing listens beyond loopback", needs=[fresh_deploy])
def loopback_only(stage):
    processes = stage.cloud().tree()
    sockets = proc.listening(processes)
    ports = {port for _, table, _, port in sockets if table.startswith("tcp")}
    # The APIs, the load balancer, Service Connect's proxy, and two tasks of each service.
    expected = 3 + 2 * len(names.SERVICES)
    expect_that(len(ports) >= expected, "the ports found", f"at least {expected}", sorted(ports))
    open_ones = [f"{process} {table} {address}:{port}" for process, table, address, port in sockets
                 if not address.is_loopback]
    expect("sockets open to the network", open_ones, [])
    return f"{len(processes)} processes, {len(ports)} ports"
