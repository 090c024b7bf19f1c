"""Takes the picture of the site for the README, and the card that other sites show with a link.

``python -m publishing.pictures build/html`` looks at the site that was built and writes PNG files
into the repository: they are committed, since neither a README nor a card is made by a build.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from .browser import FLAGS, find_browser, serve

CONF = Path(__file__).resolve().parents[1]
README_PICTURE = CONF.parent / ".github" / "site.png"
CARD = CONF / "static" / "card.png"
SIZE = (1100, 660)
CARD_SIZE = (1200, 630)


def main(site: Path) -> None:
    """Take both pictures."""
    with sync_playwright() as playwright, serve(site) as address:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        page = browser.new_page(
            viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light"
        )
        page.goto(f"{address}index.html")
        page.screenshot(path=README_PICTURE)
        page.set_viewport_size({"width": CARD_SIZE[0], "height": CARD_SIZE[1]})
        page.goto((Path(__file__).parent / "card.html").as_uri())
        page.screenshot(path=CARD)
        browser.close()
    for path in (README_PICTURE, CARD):
        print(f"{path.relative_to(CONF.parent)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
