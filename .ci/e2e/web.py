"""HTTP as a visitor of the load balancer does it."""

import html
import http.client
import json
import re
from urllib.parse import urlencode, urlsplit

PATIENCE = 10
SKILLS = ("listening", "reading", "writing", "speaking")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


class Answer:
    """A status and a body."""

    def __init__(self, status, body):
        self.status, self.body = status, body

    def __str__(self):
        return f"{self.status}: {self.body[:300]!r}"

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def connect(url):
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=PATIENCE)


def exchange(connection, method, path, body=None, headers=None):
    """One request over a connection that may be used again."""
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return Answer(response.status, response.read().decode("utf-8", "replace"))


def ask(url, method, path, body=None, headers=None):
    """One request over a connection of its own."""
    connection = connect(url)
    try:
        return exchange(connection, method, path, body, headers)
    finally:
        connection.close()


def get(url, path):
    return ask(url, "GET", path)


def form_of(bands):
    return urlencode(dict(zip(SKILLS, bands)))


def overall_in(page):
    """The overall band that a page shows; `None` when it shows none."""
    shown = re.search(r"<output[^>]*\bid=\"overall\"[^>]*>([^<]*)</output>", page)
    return html.unescape(shown[1]).strip() if shown else None


def fields_in(page):
    """The names of the form's inputs."""
    return re.findall(r"<input[^>]*\bname=\"([^\"]+)\"", page)
