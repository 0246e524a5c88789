"""Checks and their verdicts: one line each, with the seconds, and what was expected and found when one fails."""

import time
import traceback


class Unexpected(Exception):
    """Something is not as it must be."""

    def __init__(self, what, expected, found):
        super().__init__(what)
        self.what, self.expected, self.found = what, expected, found


def expect(what, found, expected):
    """Demands equality."""
    if found != expected:
        raise Unexpected(what, expected, found)


def expect_that(holds, what, expected, found):
    """Demands what equality cannot say; `expected` says it in words."""
    if not holds:
        raise Unexpected(what, expected, found)


class Check:
    """A function with a title, and the checks without which it proves nothing."""

    def __init__(self, title, function, needs):
        self.title, self.function, self.needs = title, function, needs


def check(title, needs=()):
    """Makes a function of the stage a check. What it returns is printed behind PASS."""
    return lambda function: Check(title, function, needs)


def checks_of(module):
    """A module's own checks, alone or in lists, in the order in which it defines them."""
    values = [item for value in vars(module).values() for item in (value if isinstance(value, list) else [value])]
    return [item for item in values if isinstance(item, Check) and item.function.__module__ == module.__name__]


class Verdicts:
    """Runs checks and counts. After `limit` seconds no more are begun: what was not shown has failed."""

    def __init__(self, limit):
        self.began = time.monotonic()
        self.limit = limit
        self.passed, self.failed = [], []

    def run(self, check, stage):
        began = time.monotonic()
        try:
            if began - self.began > self.limit:
                raise Unexpected("time", f"less than {self.limit} s for the checks before this one", "more")
            for need in check.needs:
                if need not in self.passed:
                    raise Unexpected("an earlier check that this one stands on", f"passed: {need.title}", "it failed")
            note = check.function(stage)
        except Unexpected as unexpected:
            lines = [unexpected.what, f"expected: {unexpected.expected}", f"found:    {unexpected.found}"]
            self._end(check, began, self.failed, "FAIL", "", lines)
        except Exception:
            # A bug of the check itself is a failed check too, and must not keep the others from running.
            self._end(check, began, self.failed, "FAIL", "", traceback.format_exc().splitlines())
        else:
            self._end(check, began, self.passed, "PASS", f": {note}" if note else "", [])

    def _end(self, check, began, verdicts, word, note, lines):
        verdicts.append(check)
        now = time.monotonic()
        print(f"{word} {check.title}{note} ({now - began:.1f} s, at {now - self.began:.0f} s)")
        for text in lines:
            for line in str(text).splitlines():
                print(f"       {line}")

    def close(self):
        """Prints the failed titles once more and the count, alone on the last line; gives the exit code."""
        for check in self.failed:
            print(f"failed: {check.title}")
        print(f"{len(self.passed)} passed, {len(self.failed)} failed")
        return 1 if self.failed or not self.passed else 0
