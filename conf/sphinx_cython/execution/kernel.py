"""Runs the cells of a page in a Jupyter kernel, where there is no ``fork``.

It takes a second a page. The kernel is started by ``start`` in this module, with the same import
path and the same record of opened files as a forked child has.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from logging import WARNING, getLogger
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode, v4

from .outputs import without_colors
from .recorder import add_to_path, prepare, prepare_children, recorded
from .request import CellError, Execution, Request, cell_name, too_long, too_slow

# nbclient tells each kernel start through this logger; the build says it in its own words.
getLogger("traitlets").setLevel(WARNING)

START = (
    "import sys; path = [name for name in sys.path if name]; sys.path.insert(0, {home!r}); "
    "from sphinx_cython.execution.kernel import start; sys.path[:] = path; start(sys.argv[1:])"
)


class _Client(NotebookClient):
    """A client that starts kernels in our way and counts what they write."""

    def __init__(self, notebook: NotebookNode, request: Request, folder: Path) -> None:
        resources = {"metadata": {"path": str(folder / "work")}}
        super().__init__(
            notebook, timeout=request.timeout, resources=resources, shutdown_kernel="immediate"
        )
        self.request = request
        self.folder = folder
        self.position = 0
        self.written = 0
        self.too_long = False
        self.traceback: list[str] = []
        self.on_cell_start = self._enter
        self.on_cell_error = self._keep_traceback

    def create_kernel_manager(self) -> Any:
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager

        record, folders = str(self.folder / "opened"), [*self.request.folders]
        prepared = {"folders": folders, "record": record, "variables": {}}
        if os.pathsep not in record:
            prepared["variables"] = prepare_children(self.folder / "site", folders, record)
        code = START.format(home=str(Path(__file__).parents[2]))
        argv = [sys.executable, "-c", code, json.dumps(prepared), "{connection_file}"]

        class Specs(KernelSpecManager):  # type: ignore[misc]
            def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
                return KernelSpec(argv=argv, display_name="Python", language="python")

        # Ports are chosen before they are taken, and by then may be someone else's.
        transport = "tcp" if os.name == "nt" else "ipc"
        self.km = AsyncKernelManager(
            kernel_spec_manager=Specs(),
            transport=transport,
            connection_file=str(self.folder / "kernel.json"),
        )
        self.km.client_class = "jupyter_client.asynchronous.AsyncKernelClient"
        return self.km

    def _enter(self, cell: NotebookNode, cell_index: int) -> None:
        self.position = cell_index
        self.written = 0

    def _keep_traceback(
        self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]
    ) -> None:
        self.traceback = execute_reply["content"]["traceback"]

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        self.written += len(json.dumps(msg["content"], default=str))
        if self.written <= self.request.output_limit:
            return super().process_message(msg, cell, cell_index)
        self.too_long = True
        cell.outputs = []
        self.task_poll_for_reply.cancel()  # as if the kernel had died
        return None


def execute_in_kernel(request: Request, variables: dict[str, str]) -> Execution:
    """Run the cells of a page in a kernel.

    Args:
        request: What to run.
        variables: The environment of the kernel.
    """
    cells = [v4.new_code_cell(cell.source) for cell in request.cells]
    for cell, asked in zip(cells, request.cells, strict=True):
        cell.metadata["tags"] = ["raises-exception"] if asked.may_raise else []
    error: CellError | None = None
    with (
        tempfile.TemporaryDirectory(prefix="sphinx-cython-", ignore_cleanup_errors=True) as name,
        tempfile.TemporaryFile() as last_words,
    ):
        folder = Path(name)
        for inner in ("work", "ipython", "site"):
            (folder / inner).mkdir()
        variables = variables | {"IPYTHONDIR": str(folder / "ipython")}
        notebook = v4.new_notebook(cells=cells)
        client = _Client(notebook, request, folder)
        try:
            # What a kernel prints past its channels is of interest only if it dies.
            client.execute(env=variables, stdout=DEVNULL, stderr=last_words)
        except CellExecutionError as raised:
            lines = without_colors("\n".join(client.traceback)).strip()
            text = f"raised {raised.ename}: {raised.evalue}\n{lines}"
            error = CellError(client.position, text)
        except CellTimeoutError:
            error = CellError(client.position, too_slow(request.timeout or 0))
        except RuntimeError:  # DeadKernelError, or its base if it did not even start
            last_words.seek(0)
            words = last_words.read().decode(errors="replace").strip()
            text = f"ended its process\n{words}".strip()
            if client.too_long:
                text = too_long(request.output_limit)
            error = CellError(client.position, text)
        files = recorded(folder / "opened")
    outputs = [json.loads(json.dumps(cell.outputs)) for cell in cells]
    return Execution(outputs, files, notebook.metadata.get("widgets", {}), error)


def start(arguments: list[str]) -> None:
    """Be a kernel.

    Args:
        arguments: What to prepare, as JSON, and the connection file.
    """
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelapp import IPKernelApp
    from IPython.core.compilerop import CachingCompiler

    class Compiler(CachingCompiler):  # type: ignore[misc]
        """Names code after its cell; a kernel names it after its process and a hash."""

        def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
            return cell_name(number)

    prepared, connection = json.loads(arguments[0]), arguments[1]
    sys.argv = [""]
    for name in [*sys.modules]:
        if name.split(".")[0] == __name__.split(".")[0]:
            del sys.modules[name]
    os.environ |= prepared["variables"]
    prepare(prepared["folders"], prepared["record"])
    add_to_path([""])
    IPythonKernel.compiler_class = Compiler
    IPKernelApp.launch_instance(argv=["-f", connection, "--log-level=40"])
