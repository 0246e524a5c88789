"""The tool dies at random moments; run again, it converges, and nothing is there twice."""

import json
import signal
import threading

from .. import names, web
from ..stage import deployed
from ..tool import WARM_DEADLINE
from ..verdict import Check, Unexpected, expect, expect_that
from .cli import rules
from .fresh import bands_through_the_page
from .update import update

FRESH_ROUNDS = 6
UPDATE_ROUNDS = 3
ATTEMPTS = 5
LINE = '# environment = { LOG_LEVEL = "info" }'


class Pattern:
    """Where a round's moments lie: some milliseconds after one of the events of certain kinds, chosen by its number, so
    that short phases are hit as well as long ones."""

    def __init__(self, name, kinds, delay):
        self.name, self.kinds, self.delay = name, kinds, delay

    def matches(self, event):
        # The compiler's lines come only when something is compiled.
        return event["event"] in self.kinds if self.kinds else event["event"] != "build-line"

    def count(self, run):
        return len([event for event in run.events() if self.matches(event)])


# A write that was sent and whose answer nobody hears is where a second run could make a thing twice.
WRITES = Pattern("step", ["step-began"], 0.005)
ANYWHERE = Pattern("event", [], 0.3)


class Dying:
    """Ends a run at one moment of a pattern."""

    def __init__(self, pattern, number, delay, sign):
        self.pattern, self.number, self.delay, self.sign = pattern, number, delay, sign
        self.seen = 0

    def __call__(self, run, line):
        if not self.pattern.matches(json.loads(line)):
            return
        self.seen += 1
        if self.seen == self.number:
            threading.Timer(self.delay, run.signal, [self.sign]).start()


def _interrupted_deploy(stage, like, pattern, sign, again):
    """A deploy that was ended at a random moment, and the moment in words. `again` prepares another attempt."""
    most = max(1, pattern.count(like) - (pattern is ANYWHERE) * 2)
    for _ in range(ATTEMPTS):
        dying = Dying(pattern, stage.random.randint(1, most), stage.random.uniform(0, pattern.delay), sign)
        run = stage.tool.start("deploy", "--output", "json", on_event=dying).wait(WARM_DEADLINE)
        if run.exit != 0:
            last = (run.events("step-began", "phase-began") or [{}])[-1]
            doing = last.get("step") or last.get("about") or "its beginning"
            return run, f"{pattern.name} {dying.number} of {most} + {dying.delay * 1000:.0f} ms, last at: {doing}"
        # It was faster than the pattern, or had fewer of its events: that was no interruption.
        most = max(1, min(most, dying.seen) * 2 // 3)
        again()
    raise Unexpected("an interrupted deploy", "one that has not ended before", f"{ATTEMPTS} that had")


def _converges(stage, definitions):
    """Runs the tool again and demands the account that one undisturbed deploy makes."""
    run = deployed(stage.tool.deploy())
    account = stage.account()
    shape = account.shape()
    for kind, expected in stage.shape.items():
        expect(f"after the second run: {kind}", shape[kind], expected)
    priorities = [priority for priority, _, _ in shape["rules"][0]]
    expect("rules of one priority", len(set(priorities)), len(priorities))
    for family, arns in account.active_revisions().items():
        expect_that(len(arns) <= definitions[family], f"ACTIVE revisions of {family}",
                    f"at most {definitions[family]}, as many as there were definitions", arns)
    answer = web.ask(stage.cloud().url, "POST", "/", web.form_of((9, 6, 6, 6)), web.FORM)
    expect("the overall band through the page", (answer.status, web.overall_in(answer.body)), (200, "7.0"))
    return run


def _fresh_round(pattern, sign, exit_code):
    def body(stage):
        stage.stop()
        stage.definitions = {family: 1 for family in names.FAMILIES}
        killed, moment = _interrupted_deploy(stage, stage.first, pattern, sign, stage.stop)
        expect(f"the exit code of the interrupted deploy ({moment})", killed.exit, exit_code)
        run = _converges(stage, stage.definitions)
        return f"{moment}; again: {run.last('ended').get('writes')} writes, {run.elapsed:.1f} s"
    return body


def _update_round(pattern):
    def body(stage):
        def change():
            # Another value in each attempt: going back to an earlier definition may make a new revision of it.
            stage.sources.restore()
            stage.definitions[names.FAMILIES[0]] += 1
            value = f"end-to-end {stage.definitions[names.FAMILIES[0]]}"
            stage.sources.edit(names.FILE, LINE, f'environment = {{ RELEASE_NOTE = "{value}" }}')
        try:
            change()
            killed, moment = _interrupted_deploy(stage, stage.update_run, pattern, signal.SIGKILL, change)
            expect(f"the exit code of the killed deploy ({moment})", killed.exit, -signal.SIGKILL)
            run = _converges(stage, stage.definitions)
        finally:
            stage.sources.restore()
        return f"{moment}; again: {run.last('ended').get('writes')} writes, {run.elapsed:.1f} s"
    return body


def _rounds():
    needs = [bands_through_the_page, rules]
    for number in range(FRESH_ROUNDS):
        pattern = ANYWHERE if number % 3 == 2 else WRITES
        yield Check(f"killed in a first deploy ({number + 1} of {FRESH_ROUNDS}), run again: it converges",
                    _fresh_round(pattern, signal.SIGKILL, -signal.SIGKILL), needs)
    for number in range(UPDATE_ROUNDS):
        pattern = ANYWHERE if number % 3 == 2 else WRITES
        yield Check(f"killed in an update ({number + 1} of {UPDATE_ROUNDS}), run again: it converges",
                    _update_round(pattern), [*needs, update])
    yield Check("interrupted as by Ctrl-C in a first deploy: exit 4; run again: it converges",
                _fresh_round(ANYWHERE, signal.SIGINT, 4), needs)


ROUNDS = list(_rounds())
