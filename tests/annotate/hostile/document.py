"""The table of hostile inputs, as docs/hostile_inputs.md has it."""

from collections.abc import Iterable
from pathlib import Path

from tests.annotate.hostile.case import Case
from tests.annotate.hostile.measure import Outcome

DOCUMENT = Path(__file__).parents[3] / "docs" / "hostile_inputs.md"
WRITE = "PAIRMILL_WRITE_DOCS"  # environment variable: write the document, don't compare it
HEAD = f"""# Hostile inputs, and what becomes of them

Each line is an input that `tests/annotate/test_hostile.py` wrote to disk among sound records and ingested. The last two
columns are read from the dataset it made, or from the message that refused the corpus: a record is kept, made plain, or
stands in `dropped/` with stage and reason, and its neighbours are kept whole. No pipe is waited for, nothing is read or
written outside, and what was kept has its edges, loads with `datasets` and shows in a contact sheet without a script.

Links: pictures may be links, as caches and link farms have them, and whatever they lead to must be a picture; text that
a link brings from outside the corpus is not read, the `blobs` of a Hugging Face cache apart; links to folders are not
followed. *No record* means that nothing there is a picture's. Control characters, bidi controls and zero-width spaces
leave captions; HTML stays, as text, and pages escape it.

Made by `{WRITE}=1 python -m pytest tests/annotate/test_hostile.py`.

| # | Input | Where | What became of it | Reason stored, or message |
|---|---|---|---|---|
"""


def document(outcomes: Iterable[tuple[Case, Outcome]]) -> str:
    """The document, from what was measured."""
    lines = [_line(number, case, outcome.became) for number, (case, outcome) in enumerate(outcomes, start=1)]
    return HEAD + "\n".join(lines) + "\n"


def _line(number: int, case: Case, became: tuple[str, str]) -> str:
    what, reason = became
    return f"| {number} | {_cell(case.input)} | {_cell(case.where)} | {_became(what)} | {_code(reason)} |"


def _became(text: str) -> str:
    what, kept_as, captions = text.partition(" as ")
    return f"{what} as {_code(captions)}" if kept_as else what


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
