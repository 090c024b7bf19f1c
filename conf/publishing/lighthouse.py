"""Runs Lighthouse on some pages, as a phone on a slow network sees them.

``python -m publishing.lighthouse <program> <site> <page> …`` serves the site, compressed, and
fails if a page has a score below those of ``LEAST``. The program is Lighthouse's ``cli/index.js``;
``--out`` names a folder for the reports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .browser import FLAGS, find_browser, serve

# Of 100. How fast a page is depends a little on the machine, the rest does not.
LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}


def measure(program: str, address: str, report: Path) -> dict[str, Any]:
    """Return what Lighthouse says of a page, with its own phone and network."""
    report.parent.mkdir(parents=True, exist_ok=True)
    outputs = ("--output=json", "--output=html", f"--output-path={report}")
    # Lighthouse splits them at spaces, and the flag about names has some.
    flags = f"--chrome-flags=--headless=new {' '.join(flag for flag in FLAGS if ' ' not in flag)}"
    done = subprocess.run(
        [
            "node",
            program,
            address,
            *outputs,
            "--quiet",
            f"--only-categories={','.join(LEAST)}",
            flags,
        ],
        env={**os.environ, "CHROME_PATH": find_browser()},
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise SystemExit(f"{address}: Lighthouse ended with {done.returncode}")
    found: dict[str, Any] = json.loads(Path(f"{report}.report.json").read_text("utf-8"))
    return found


def complaints(found: dict[str, Any], category: str) -> list[str]:
    """Return the audits of a category that a page did not pass, a line each."""
    audits = [found["audits"][entry["id"]] for entry in found["categories"][category]["auditRefs"]]
    return [
        f"{audit['title']}: {audit.get('displayValue') or audit['score']}"
        for audit in audits
        if audit["score"] is not None and audit["score"] < 0.9
    ]


def main(arguments: list[str]) -> int:
    """Print the scores, and return 1 if one is too low."""
    parser = argparse.ArgumentParser(prog="publishing.lighthouse")
    parser.add_argument("program")
    parser.add_argument("site", type=Path)
    parser.add_argument("pages", nargs="+")
    parser.add_argument("--out", type=Path, default=Path("build", "lighthouse", "reports"))
    given = parser.parse_args(arguments)
    failed = False
    with serve(given.site) as address:
        for page in given.pages:
            report = given.out / page.removesuffix(".html").replace("/", "-")
            found = measure(given.program, address + page, report)
            for category, least in LEAST.items():
                score = round(100 * found["categories"][category]["score"])
                print(f"{page:28} {category:16} {score:3}")
                if score < least:
                    failed = True
                    print(f"  below {least}:", *complaints(found, category), sep="\n    ")
    print(f"The reports are in {given.out}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
