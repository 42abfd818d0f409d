"""The whole state of a page as its address says it, so that an address can be kept, shared and gone back to."""

import re
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import QueryParams

DRAW = "draw"  # `order`: that in which a manifest draws
LISTS = ("status", "show")
DEFAULT_SIZE = 24


class State(BaseModel):
    """What is looked at.

    Attributes:
        where: in the language of manifests/where.py.
        condition: family that a manifest would train on; "": none chosen yet.
        split, part: only these rows; "": all.
        status: "family:status", as "canny:failed": only rows that have it.
        drawn: only rows that a manifest would draw.
        order: address of a column, `DRAW`, or "": as they lie in the shards.
        down: greatest first.
        seed: of the draw.
        show: families whose panels are shown; None: the first few.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    where: str = Field(default="", max_length=4_000)
    condition: str = ""
    split: str = ""
    part: str = ""
    status: tuple[str, ...] = ()
    drawn: bool = False
    order: str = ""
    down: bool = False
    seed: int = Field(default=0, ge=-(2**63), lt=2**63)
    page: Annotated[int, Field(ge=1, lt=2**31)] = 1
    size: Annotated[int, Field(ge=1, le=200)] = DEFAULT_SIZE
    show: tuple[str, ...] | None = None

    def query(self, **changes: Any) -> str:
        """The address of this state with some fields changed, without what is as always; on the first page."""
        fields = self.model_dump() | {"page": 1} | changes
        given = {name: value for name, value in fields.items() if value != State.model_fields[name].default}
        if given.get("show") is not None:
            given["show"] = ["", *given["show"]]  # the empty one says that the others are all
        return urlencode({name: int(of) if isinstance(of, bool) else of for name, of in given.items()}, doseq=True)

    def with_status(self, family: str, status: str) -> tuple[str, ...]:
        """`status` with that of one family changed; "" for any."""
        others = [one for one in self.status if one.partition(":")[0] != family]
        return (*others, f"{family}:{status}") if status else tuple(others)


def read_state(asked: QueryParams) -> State:
    """The state that an address says.

    Raises:
        ValueError: a value that can't be.
    """
    fields: dict[str, Any] = {name: value for name, value in asked.items() if value and name not in LISTS}
    fields["status"] = tuple(one for one in asked.getlist("status") if one)
    if "show" in asked:
        fields["show"] = tuple(one for one in asked.getlist("show") if one)
    try:
        return State.model_validate(fields)
    except ValidationError as error:
        problems = [f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors()]
        raise ValueError(f"the address is not one of this page: {'; '.join(problems)}. Mend it there") from error


def both(where: str, condition: str) -> str:
    """An expression and a condition of ours; OR binds less than AND, and a comment hides what follows."""
    where = where.strip()
    if "--" in where:
        return f"(\n{where}\n) AND {condition}"
    if re.search(r"\bor\b", where, re.IGNORECASE):
        return f"({where}) AND {condition}"
    return f"{where} AND {condition}" if where else condition
