"""A crowd of visitors at a steady rate for as long as a roll takes, counting every answer that is not the right one."""

import threading
import time

from . import web

BANDS = (6.5, 6.5, 5.0, 7.0)
BANDS_OVERALL = "6.5"
RATE = 50
VISITORS = 20


class Kind:
    """A request, and how its right answer is known."""

    def __init__(self, name, method, path, right, body=None, headers=None):
        self.name, self.method, self.path, self.right = name, method, path, right
        self.body, self.headers = body, headers


def identity(service):
    """Whether the answer is this service's own."""
    return lambda answer: answer.status == 200 and (answer.json() or {}).get("service") == service


KINDS = [
    Kind("/api/health", "GET", "/api/health", identity("frontend")),
    Kind("/api/skills", "GET", "/api/skills", lambda answer: answer.status == 200 and "listening" in answer.body),
    Kind("/", "GET", "/", lambda answer: answer.status == 200 and "<form" in answer.body),
    Kind("/actuator/health", "GET", "/actuator/health", identity("backend")),
    Kind(
        "the page's sum", "POST", "/",
        lambda answer: answer.status == 200 and web.overall_in(answer.body) == BANDS_OVERALL,
        web.form_of(BANDS), web.FORM,
    ),
]


class Load:
    """Use it with `with`: visitors come in and are gone, and its numbers final, at the end of the block.

    Half of the visitors keep their connection, as browsers do; the other half make a new one each time, as probes do.
    """

    def __init__(self, url, kinds=KINDS):
        self.url, self.kinds = url, kinds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        # (seconds that the answer took, seconds since the first visitor) of each request, by kind.
        self.answers = {kind.name: [] for kind in kinds}
        self.failures = []

    def __enter__(self):
        self._began = time.monotonic()
        self._visitors = [threading.Thread(target=self._visit, args=(n,), daemon=True) for n in range(VISITORS)]
        for visitor in self._visitors:
            visitor.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for visitor in self._visitors:
            visitor.join(2 * web.PATIENCE)
        self.elapsed = time.monotonic() - self._began

    def _visit(self, number):
        keeps = number % 2 == 0
        connection = web.connect(self.url)
        due = self._began + number / RATE
        turn = number
        while not self._stop.wait(max(0, due - time.monotonic())):
            kind = self.kinds[turn % len(self.kinds)]
            self._request(connection, kind, keeps)
            if not keeps:
                connection.close()
            turn += 1
            due += VISITORS / RATE
        connection.close()

    def _request(self, connection, kind, keeps):
        began = time.monotonic()
        try:
            answer = web.exchange(connection, kind.method, kind.path, kind.body, kind.headers)
            problem = None if kind.right(answer) else str(answer)
        except Exception as error:
            connection.close()
            problem = f"{type(error).__name__}: {error}"
        took = time.monotonic() - began
        with self._lock:
            self.answers[kind.name].append((took, began - self._began))
            if problem:
                how = "kept connection" if keeps else "new connection"
                self.failures.append(f"{kind.name} ({how}) at {began - self._began:.1f} s, {took:.2f} s: {problem}")

    @property
    def count(self):
        return sum(map(len, self.answers.values()))

    @property
    def rate(self):
        return self.count / self.elapsed

    def __str__(self):
        times = sorted((*answer, name) for name, answers in self.answers.items() for answer in answers)
        if not times:
            return "no request"
        slowest, moment, name = times[-1]
        kinds = ", ".join(f"{kind} {len(answers)}" for kind, answers in self.answers.items())
        return (
            f"{self.count} requests at {self.rate:.1f}/s ({kinds}), {len(self.failures)} failed, "
            f"median {times[len(times) // 2][0] * 1000:.0f} ms, slowest {slowest * 1000:.0f} ms ({name} at {moment:.1f} s)"
        )

    def worst(self):
        return "\n".join([str(self), *self.failures[:10]])
