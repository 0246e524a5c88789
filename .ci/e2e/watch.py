"""Looks for texts where they must not be: in what processes are called with, and in files."""

import gzip
import os
import pathlib
import threading


class Arguments:
    """Reads every process's arguments over and over, for as long as its `with` lasts.

    A process that lives shorter than a look at all of them, some milliseconds, can be missed.
    """

    def __init__(self):
        self.seen = set()
        self.looks = 0
        self._stop = threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _look(self):
        own = str(os.getpid())
        while not self._stop.wait(0.002):
            self.looks += 1
            for name in os.listdir("/proc"):
                if not name.isdigit() or name == own:
                    continue
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        self.seen.add(file.read())
                except OSError:
                    # It has ended since.
                    continue

    def holding(self, texts):
        """The arguments that hold one of the texts, by the text's name."""
        return sorted({name for name, text in texts.items() for line in self.seen if text.encode() in line})

    def like(self, pattern):
        """The arguments in which a pattern is found, shortened."""
        shown = (line.replace(b"\0", b" ").decode("utf-8", "replace") for line in self.seen)
        return sorted(line[:80] for line in shown if pattern.search(line))


def files_since(moment, *folders):
    """Files that were changed after a moment, with their content; what is compressed is read as well."""
    for folder in folders:
        for path in pathlib.Path(folder).rglob("*"):
            try:
                if path.is_symlink() or not path.is_file() or path.stat().st_mtime < moment:
                    continue
                content = path.read_bytes()
            except OSError:
                continue
            if content[:2] == b"\x1f\x8b":
                content += gzip.decompress(content)
            yield path, content
