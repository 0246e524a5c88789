"""The tool dies at random moments; run again, it converges, and nothing is there twice."""

import signal
import threading

from .. import web
from ..stage import deployed
from ..verdict import Check, Unexpected, expect, expect_that
from .cli import rules
from .fresh import bands_through_the_page
from .update import update

FRESH_ROUNDS = 3
UPDATE_ROUNDS = 2
ATTEMPTS = 5
LINE = '# environment = { LOG_LEVEL = "info" }'
LEVELS = ("debug", "warn", "trace")


class Dying:
    """Ends a run some milliseconds after a certain event, by number: so that every phase, short or long, is hit."""

    def __init__(self, number, delay, sign):
        self.number, self.delay, self.sign = number, delay, sign
        self.seen, self.after = 0, None

    def __call__(self, run, line):
        if '"event":"build-line"' in line:
            return
        self.seen += 1
        if self.seen == self.number:
            self.after = line
            threading.Timer(self.delay, run.signal, [self.sign]).start()


def _interrupted_deploy(stage, events, sign, again):
    """A deploy that was ended at a random event, and that moment in words. `again` prepares another attempt."""
    most = events - 2
    for _ in range(ATTEMPTS):
        dying = Dying(stage.random.randint(1, most), stage.random.uniform(0, 0.3), sign)
        run = stage.tool.start("deploy", "--output", "json", on_event=dying).wait(600)
        if run.exit != 0:
            last = run.events()[-1] if run.events() else {"event": "nothing"}
            moment = f"event {dying.number} of {events} + {dying.delay * 1000:.0f} ms, after `{last['event']}`"
            return run, moment
        # It was faster than the pattern: that was no interruption.
        most = max(1, dying.seen * 2 // 3)
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


def _fresh_round(sign, exit_code):
    def body(stage):
        stage.stop()
        stage.definitions = {"ielts-backend": 1, "ielts-frontend": 1}
        killed, moment = _interrupted_deploy(stage, stage.fresh_events, sign, stage.stop)
        expect(f"the exit code of the interrupted deploy ({moment})", killed.exit, exit_code)
        run = _converges(stage, stage.definitions)
        return f"{moment}; again: {run.last('ended').get('writes')} writes, {run.elapsed:.1f} s"
    return body


def _update_round(round_number):
    def body(stage):
        levels = iter(LEVELS[round_number::UPDATE_ROUNDS] * 10)

        def change():
            stage.sources.restore()
            stage.definitions["ielts-backend"] += 1
            stage.sources.edit("deploy.toml", LINE, f'environment = {{ LOG_LEVEL = "{next(levels)}" }}')
        try:
            change()
            killed, moment = _interrupted_deploy(stage, stage.update_events, signal.SIGKILL, change)
            expect(f"the exit code of the killed deploy ({moment})", killed.exit, -signal.SIGKILL)
            run = _converges(stage, stage.definitions)
        finally:
            stage.sources.restore()
        return f"{moment}; again: {run.last('ended').get('writes')} writes, {run.elapsed:.1f} s"
    return body


def _rounds():
    needs = [bands_through_the_page, rules]
    for number in range(FRESH_ROUNDS):
        yield Check(f"killed in a first deploy ({number + 1} of {FRESH_ROUNDS}), run again: it converges",
                    _fresh_round(signal.SIGKILL, -signal.SIGKILL), needs)
    for number in range(UPDATE_ROUNDS):
        yield Check(f"killed in an update ({number + 1} of {UPDATE_ROUNDS}), run again: it converges",
                    _update_round(number), [*needs, update])
    yield Check("interrupted as by Ctrl-C in a first deploy: exit 4; run again: it converges",
                _fresh_round(signal.SIGINT, 4), needs)


ROUNDS = list(_rounds())
