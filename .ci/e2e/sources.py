"""Edits of the checkout that are taken back in every case, also after a run that was killed."""

import contextlib
import shutil


class Sources:
    """Edits files in place: the deploy builds the work tree. The originals wait under target/, outside of git."""

    def __init__(self, root):
        self.root = root
        self._kept = root / "target" / "ci" / "originals"

    @contextlib.contextmanager
    def edited(self, path, old, new):
        """Puts `new` where `old` stands exactly once."""
        self.edit(path, old, new)
        try:
            yield
        finally:
            self.restore()

    def edit(self, path, old, new, times=1):
        """Puts `new` where `old` stands, which must be so often."""
        file, kept = self.root / path, self._kept / path
        text = file.read_text(encoding="utf-8")
        if text.count(old) != times:
            raise ValueError(f"{path} holds {old!r} {text.count(old)} times: to be edited there, it must do so {times} times")
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all: a half-written original would be restored one day.
            draft = kept.with_name(kept.name + ".draft")
            shutil.copyfile(file, draft)
            draft.rename(kept)
        file.write_text(text.replace(old, new), encoding="utf-8")

    def restore(self):
        """Puts every original back."""
        if not self._kept.is_dir():
            return
        for kept in self._kept.rglob("*"):
            if kept.is_file() and kept.suffix != ".draft":
                shutil.copyfile(kept, self.root / kept.relative_to(self._kept))
        shutil.rmtree(self._kept)
