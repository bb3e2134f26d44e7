"""What the site takes from the package: the tables of columns."""

from seven_terms.analysis import COLUMNS

HEADS = {"quantities": "metrics in words", "runs": "a row per run", "metrics": "a row per recorded value",
         "summary": "the numbers behind figures", "claims": "a row per claim"}  # fmt: skip


def on_page_markdown(markdown: str, page, config, files) -> str:
    """Put the tables where the page of results for analysts says COLUMNS."""
    if page.file.src_uri != "analysis.md":
        return markdown
    return markdown.replace("COLUMNS\n", "\n".join(table(frame) for frame in COLUMNS))


def table(frame: str) -> str:
    rows = [f"| `{name}` | {unit} | {meaning} |" for name, (unit, meaning) in COLUMNS[frame].items()]
    return "\n".join(
        [f"### {frame}: {HEADS[frame]}", "", "| column | unit | meaning |", "|---|---|---|", *rows, "", ""]
    )
