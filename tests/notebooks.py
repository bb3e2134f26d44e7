"""Notebooks: executed without Jupyter, and written with their outputs: `python -m tests.notebooks <notebook>`."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any


def executed(notebook: Path) -> dict[str, Any]:
    """Return the notebook with the outputs of its cells: what they print, the value of a last expression, figures as PNG."""
    import matplotlib

    matplotlib.use("agg")
    book, names = json.loads(notebook.read_text(encoding="utf-8")), {"__name__": "__main__"}
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, start=1):
        cell["execution_count"], cell["outputs"] = number, list(_outputs("".join(cell["source"]), names, number))
    return book


def _outputs(source: str, names: dict[str, Any], number: int) -> Any:
    import matplotlib.pyplot as plt

    *statements, last = ast.parse(source).body
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module([*statements], []), "cell", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        else:
            exec(compile(ast.Module([last], []), "cell", "exec"), names)
    if printed.getvalue():
        yield {"output_type": "stream", "name": "stdout", "text": printed.getvalue().splitlines(keepends=True)}
    if hasattr(value, "_repr_html_"):
        data = {"text/html": value._repr_html_().splitlines(keepends=True), "text/plain": [repr(value)]}
        yield {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data}
    for figure in map(plt.figure, plt.get_fignums()):
        png = io.BytesIO()
        figure.savefig(png, dpi=100, metadata={"Software": None})
        data = {"image/png": base64.b64encode(png.getvalue()).decode(), "text/plain": ["<Figure>"]}
        yield {"output_type": "display_data", "metadata": {}, "data": data}
    plt.close("all")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(json.dumps(executed(path), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
