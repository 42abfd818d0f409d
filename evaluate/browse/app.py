"""The application: which address gives which page or picture, and nothing else."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import Field
from starlette.datastructures import QueryParams

from evaluate.browse.current import Current
from evaluate.browse.guard import Guard
from evaluate.browse.pages import FILE, Context, Pages
from evaluate.browse.pictures import Size
from evaluate.browse.state import DRAW, State, both, read_state
from evaluate.page.render import count
from manifests.dataset import Dataset
from manifests.layout import IMAGES

HERE = Path(__file__).parent
KEPT = "private, no-cache"  # a browser asks again, each time, whether it may still show what it keeps
TABS = ("rows", "failures", "clusters", "manifest")
Row = Annotated[int, Field(ge=0, lt=2**31)]


def make_app(dataset: Dataset) -> Guard:
    """The application of one dataset, whose index is read now.

    Raises:
        ValueError: it is not indexed.
    """
    site = Site(Current(dataset))
    # Its own pages load scripts from elsewhere; and whatever the environment says, nothing is reported to anybody.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, telemetry={"auto_configure": False})
    for tab in TABS:
        app.add_api_route("/" if tab == "rows" else f"/{tab}", site.tab(tab), response_class=HTMLResponse)
    app.add_api_route("/row/{shard}/{row}", site.row, response_class=HTMLResponse)
    app.add_api_route("/picture/{size}/{family}/{shard}/{row}", site.picture, response_class=Response)
    app.add_api_route("/add", site.add, response_class=RedirectResponse)
    app.add_api_route("/walk", site.walk, response_class=RedirectResponse)
    app.add_api_route(f"/{FILE}", site.yaml, response_class=PlainTextResponse)
    app.add_api_route("/page.css", site.style, response_class=Response)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    return Guard(app)


class Site:
    """Answers of the application."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._templates = Environment(
            loader=FileSystemLoader([HERE / "templates", HERE.parent]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"count": count, "share": share}
        self._templates.globals |= {"both": both, "draw": DRAW, "tabs": TABS}

    def tab(self, name: str) -> Callable[[Request], HTMLResponse]:
        """The page of a tab."""

        def answer(request: Request) -> HTMLResponse:
            fill: Callable[[QueryParams], Context] = getattr(self._current.pages(), name)
            context = fill(request.query_params)
            return self._page(f"{name}.html.j2", context | {"tab": name}, 422 if context["error"] else 200)

        return answer

    def row(self, request: Request, shard: str, row: Row) -> HTMLResponse:
        """The page of one row."""
        pages = self._current.pages()
        context = pages.row(request.query_params, _place(pages, shard, row))
        return self._page("row.html.j2", context | {"tab": "rows"})

    def picture(self, request: Request, size: Size, family: str, shard: str, row: Row) -> Response:
        """A picture: of images/, or of a family drawn as a hint."""
        pages = self._current.pages()
        place = _place(pages, shard, row)
        if family not in (IMAGES, *pages.held.drawable):
            raise HTTPException(404, "no such family")
        tag = pages.pictures.tag(family, place, size)
        headers = {"etag": f'"{tag}"', "cache-control": KEPT}
        if f'"{tag}"' in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        try:
            found = pages.pictures.picture(family, place, size)
        except ValueError as error:
            raise HTTPException(404, str(error)) from error
        if found is None:
            raise HTTPException(404, "the row failed; there is no condition")
        return Response(found.data, media_type=found.media, headers=headers)

    def add(self, request: Request) -> RedirectResponse:
        """To the same page with a condition added to the filter, in the place of an older one on the same column."""
        asked = request.query_params
        state = self._state(asked)
        where = replaced(state.where, asked.get("column", ""), asked.get("add", ""))
        tab = asked.get("to", "")
        return RedirectResponse(f"/{tab if tab in TABS[1:] else ''}?{state.query(where=where)}", 303)

    def walk(self, request: Request) -> RedirectResponse:
        """To the first row of a state, from where the next ones follow."""
        state = self._state(request.query_params)
        try:
            return RedirectResponse(f"{self._current.pages().first(state) or '/'}?{state.query()}", 303)
        except ValueError:  # which that page says
            return RedirectResponse(f"/?{state.query()}", 303)

    def yaml(self, request: Request) -> PlainTextResponse:
        """The filter as a manifest, to be saved."""
        try:
            text = self._current.pages().proposal(request.query_params)
        except ValueError as error:
            return PlainTextResponse(str(error), 422)
        return PlainTextResponse(text, headers={"content-disposition": f'attachment; filename="{FILE}"'})

    def style(self) -> Response:
        """The style sheet that reports have too."""
        return Response(self._templates.get_template("page/page.css.j2").render(), media_type="text/css")

    def _page(self, template: str, context: Context, status: int = 200) -> HTMLResponse:
        page = self._templates.get_template(template).render(**context)
        return HTMLResponse(page, status, {"cache-control": "no-cache"})

    def _state(self, asked: QueryParams) -> State:
        try:
            return read_state(asked)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error


def _place(pages: Pages, shard: str, row: int) -> int:
    place = pages.held.find(shard, row)
    if place is None:
        raise HTTPException(404, "no such row, or it was taken down")
    return place


def replaced(where: str, column: str, condition: str) -> str:
    """`where` with a condition on a column, in the place of a range or value of it that is there."""
    name, number, word = re.escape(column), r"[-+.\dEe]+", r"(?:'(?:[^']|'')*'|[-+.\w]+)"
    bars = (rf"BETWEEN {number} AND {number}", rf">= {number} AND {name} < {number}", f"[<>=] {word}", "IS NULL")
    there = rf'(?<![\w."])(?<!(?i:not) ){name} (?:{"|".join(bars)})'
    if column and re.search(there, where):
        return re.sub(there, lambda _: condition, where, count=1)
    return both(where, condition) if condition else where


def share(part: int, whole: int) -> str:
    """A part of a whole as a percentage: two digits, for it may be small."""
    percent = 100 * part / whole if whole else 0.0
    return f"{percent:.0f} %" if percent in (0, 100) or 10 <= percent < 99.5 else f"{percent:.2g} %"
