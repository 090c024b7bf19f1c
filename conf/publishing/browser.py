"""The system's Chromium, and a server that shows it the site as a host would."""

from __future__ import annotations

import gzip
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
# In a container there is no user for Chromium's sandbox. The rest keeps it from calling home,
# and lets no name be looked up whatever a page may ask for.
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
COMPRESSED = {".html", ".css", ".js", ".svg", ".txt", ".json"}


def find_browser() -> str:
    """Return the path of the browser.

    Raises:
        SystemExit: There is none.
    """
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    raise SystemExit(f"there is no browser here: none of {', '.join(NAMES)}")


class Handler(SimpleHTTPRequestHandler):
    """Serves files as hosts of static sites do: compressed, and to be kept for a while."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a file."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        kind = self.guess_type(path)
        self.send_response(200)
        self.send_header(
            "Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
        )
        if path.suffix in COMPRESSED:
            data = gzip.compress(data, 6, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        # What GitHub Pages says.
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Be quiet."""


@contextmanager
def serve(site: Path) -> Iterator[str]:
    """Serve the site for a while.

    Yields:
        Its address, with a slash at the end.
    """

    def handler(*args: Any) -> Handler:
        return Handler(*args, directory=str(site))

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
