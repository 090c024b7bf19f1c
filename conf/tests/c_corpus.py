"""The C of everything in ``cython_sources``: what Cython can write for one line of a source."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from sphinx_cython.core.annotation import read_c

SOURCES = Path(__file__).parent / "cython_sources"


@dataclass(frozen=True)
class Corpus:
    """Generated C, by the name of the source.

    Attributes:
        files: The whole C file.
        pages: The lines of the source, each with its C.
    """

    files: dict[str, str]
    pages: dict[str, list[tuple[str, str]]]

    @property
    def lines(self) -> list[str]:
        """The C of each line that has some."""
        return [c for page in self.pages.values() for _, c in page if c.strip()]

    def c_of(self, name: str, function: str, line: str) -> str:
        """Return the C of a line of a function."""
        page = self.pages[name]
        start = next(n for n, (text, _) in enumerate(page) if f"def {function}(" in text)
        return next(c for text, c in page[start:] if text.strip() == line)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Translate all sources; no C compiler runs."""
    folder = tmp_path_factory.mktemp("corpus")

    def translate(source: Path) -> None:
        command = [sys.executable, "-m", "cython", "-3", "--annotate"]
        command += ["--cplus"] if source.stem == "cplusplus" else []
        command += ["-o", str(folder / f"{source.stem}.c"), source.name]
        subprocess.run(command, cwd=SOURCES, check=True, capture_output=True)

    sources = sorted(SOURCES.glob("*.pyx"))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(translate, sources))
    files, pages = {}, {}
    for source in sources:
        files[source.stem] = (folder / f"{source.stem}.c").read_text(encoding="utf-8")
        page = read_c((folder / f"{source.stem}.html").read_text(encoding="utf-8"))
        text = source.read_text(encoding="utf-8").splitlines()
        pages[source.stem] = [(line, c) for line, (c, _) in zip(text, page, strict=True)]
    return Corpus(files, pages)
