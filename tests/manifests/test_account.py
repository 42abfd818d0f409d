"""The account of a draw leaves no row out, and says of each condition what it costs."""

import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.account import Account, account_from
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.footer import write_shard
from manifests.index import ROWS, build_index, index_path, read_index
from manifests.manifest import Manifest
from manifests.record import family_schema
from manifests.removed import remove_pictures
from manifests.storage import publish
from manifests.subset import resolve
from tests.manifests.test_words import write_words
from train.run_folder import claim, load_provenance, provenance_of

WHERES = (
    "",
    "edge_density > 0.03",
    "edge_density BETWEEN 0.02 AND 0.06 AND caption_length > 10",
    "sharpness > 40 AND edge_density > 0.02 AND caption_length < 999",
    "key < '8' OR sharpness > 40",
)


def write_sharpness(dataset: Dataset) -> None:
    """A family of numbers alone: those of every seventh row are not known."""
    card = FamilyCard(family="quality", annotator="quality", version=1, kind="scores", stats={"sharpness": "float"})
    create_card(dataset.root, card)
    stats = {"sharpness": pa.float32()}
    number = 0
    for name in dataset.shards():
        rows = []
        for key in dataset.read("images", name, ["key"])["key"].to_pylist():
            known = number % 7 != 3
            row = {"key": key, "status": "ok" if known else "failed", "code": "" if known else "decode", "error": ""}
            rows.append({**row, "width": 128, "height": 128, "stats": {"sharpness": number % 100 if known else None}})
            number += 1
        table = pa.Table.from_pylist(rows, schema=family_schema("scores", {}, stats))
        publish(partial(write_shard, table, card=card), dataset.path("quality", name))


def rewrite(dataset: Dataset, column: str, change: Callable[[list], list]) -> None:
    """Change a column of the index of rows, as another ingest would have made it."""
    table = read_index(dataset, ROWS)
    place = table.column_names.index(column)
    values = pa.array(change(table[column].to_pylist()), table.schema.field(column).type)
    pq.write_table(table.set_column(place, column, values), str(index_path(dataset, ROWS)))


@pytest.fixture(scope="module")
def rooms(made: Callable[..., Dataset], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Playroom pictures of two parts, with sharpness and words, some in two splits, some taken down, some copied."""
    dataset = made(tmp_path_factory.mktemp("account") / "rooms")
    write_sharpness(dataset)
    write_words(dataset, "caption", "a room")
    build_index(dataset)
    rewrite(dataset, "part", lambda parts: [int(row >= 120) for row in range(len(parts))])
    rewrite(dataset, "split", lambda of: ["excluded" if row % 40 == 5 else split for row, split in enumerate(of)])
    rewrite(dataset, "cluster", lambda of: [of[row - 1] if row % 20 == 8 else name for row, name in enumerate(of)])
    remove_pictures(dataset, read_index(dataset, ROWS, ["picture"])["picture"].to_pylist()[30:34], "asked for")
    return dataset


def manifest(dataset: Dataset, **fields: object) -> Manifest:
    return Manifest(**{"dataset": dataset.root, "condition": "canny", "rows": 5, "base": "none", **fields})


def by_reason(account: Account) -> dict[str, int]:
    return {out.reason: out.rows for out in account.kept_out}


def expected(rooms: Dataset, asked: Manifest) -> dict[str, int]:
    """Row by row, in plain Python; `where` by its own text."""
    tables = [read_index(rooms, family).to_pylist() for family in (ROWS, "canny", "quality")]
    known = [row | {"status": canny["status"], **canny} | quality_of for row, canny, quality_of in zip(
        tables[0], tables[1], [{"sharpness": row["sharpness"]} for row in tables[2]], strict=True)]  # fmt: skip
    gone = {row["cluster"] for row in tables[0][30:34]}
    counts: dict[str, int] = {}
    clusters = set()
    for row in known:
        sharp, dense = row["sharpness"], row["edge_density"]
        holds = {
            "": True,
            WHERES[1]: dense > 0.03,
            WHERES[2]: 0.02 <= dense <= 0.06 and row["caption_length"] > 10,
            WHERES[3]: sharp is not None and sharp > 40 and dense > 0.02,
            WHERES[4]: row["key"] < "8" or (sharp is not None and sharp > 40),
        }[asked.where]
        reason = next(
            (
                name
                for name, out in (
                    (f"split_{row['split']}", row["split"] != "train"),
                    ("taken_down", row["cluster"] in gone),
                    ("part", asked.parts is not None and row["part"] not in asked.parts),
                    (f"condition_{row['status']}", row["status"] != "ok"),
                    ("where", not holds),
                    ("duplicate", row["cluster"] in clusters),
                )
                if out
            ),
            "order",
        )
        counts[reason] = counts.get(reason, 0) + 1
        clusters |= {row["cluster"]} if reason == "order" else set()
    return counts


@pytest.mark.parametrize(
    ("where", "parts", "captions"),
    [
        *itertools.product(WHERES, (None, (0,), (1,), (7,)), ("",)),
        *itertools.product(WHERES[2:4], (None, (0, 1)), ("caption",)),
    ],
)
def test_every_row_is_drawn_or_kept_out_by_the_first_reason_that_applies(
    rooms: Dataset, where: str, parts: tuple[int, ...] | None, captions: str
) -> None:
    asked = manifest(rooms, where=where, parts=parts, captions=captions, rows=5)
    counts = expected(rooms, asked)
    if counts.get("order", 0) < 5:
        with pytest.raises(ValueError, match=rf"Of 200 rows {counts.get('order', 0)} can be drawn"):
            resolve(asked)
        return
    subset = resolve(asked)
    account = subset.account
    assert account.rows == 200 == account.drawn + sum(by_reason(account).values())
    found = by_reason(account)
    assert found.pop("beyond", 0) + account.drawn == counts.pop("order") == subset.found
    assert {reason: rows for reason, rows in found.items() if rows} == counts
    assert account_from(json.loads(json.dumps(asdict(account)))) == account


def test_pinned_parts_are_not_chosen_from_by_what_later_parts_change(rooms: Dataset) -> None:
    where = "canny.edge_density >= 0 AND caption_repeats <= 999"
    with pytest.raises(ValueError, match=r"caption_repeats is of all parts, which grow, and parts = \[0\] pins some"):
        resolve(manifest(rooms, where=where, parts=(0,), rows=1))
    assert resolve(manifest(rooms, where=where, rows=1)).found


def test_of_each_condition_it_is_said_what_it_keeps_out_and_what_it_alone(rooms: Dataset) -> None:
    account = resolve(manifest(rooms, where=WHERES[3])).account
    rows = read_index(rooms, ROWS).to_pylist()
    gone = {row["cluster"] for row in rows[30:34]}
    canny, quality = (read_index(rooms, family).to_pylist() for family in ("canny", "quality"))
    judged = [
        (said["sharpness"], edges["edge_density"])
        for row, edges, said in zip(rows, canny, quality, strict=True)
        if row["split"] == "train" and row["cluster"] not in gone and edges["status"] == "ok"
    ]
    blurred = [sharp is None or sharp <= 40 for sharp, _ in judged]
    bare = [dense <= 0.02 for _, dense in judged]
    sharpness, density, length = account.conjuncts
    assert account.judged == len(judged)
    assert [part.text for part in account.conjuncts] == [
        "sharpness > 40",
        "edge_density > 0.02",
        "caption_length < 999",
    ]
    assert sharpness.keeps_out == sum(blurred)
    assert sharpness.nulls == sum(sharp is None for sharp, _ in judged) > 0
    assert sharpness.alone == sum(out and not other for out, other in zip(blurred, bare, strict=True))
    assert (density.keeps_out, density.nulls) == (sum(bare), 0)
    assert density.alone == sum(out and not other for out, other in zip(bare, blurred, strict=True))
    assert (length.keeps_out, length.alone, length.nulls) == (0, 0, 0)
    assert by_reason(account)["where"] == sum(map(max, blurred, bare))


def test_where_no_row_is_left_the_error_says_which_condition_kept_them_out(rooms: Dataset) -> None:
    with pytest.raises(ValueError, match="0 of the train split have an ok canny") as raised:
        resolve(manifest(rooms, where="edge_density > 0.9 AND caption_length > 3"))
    message = str(raised.value)
    judged = resolve(manifest(rooms, where="true")).account.judged
    assert f"'edge_density > 0.9' keeps out {judged}, {judged} of them alone" in message
    assert "'caption_length > 3' keeps out none" in message
    assert "\n" not in message


def test_rows_without_words_are_drawn_and_counted(rooms: Dataset) -> None:
    plain, said = (resolve(manifest(rooms, captions=captions, rows=90)) for captions in ("", "caption"))
    assert plain.account.wordless == 0
    drawn = said.rows.to_pylist()
    assert said.account.wordless == sum(row["row"] == 2 for row in drawn) > 0
    assert replace(said.account, wordless=0) == plain.account


def test_a_smaller_draw_keeps_out_more_rows_by_its_size_alone(rooms: Dataset) -> None:
    small, large = (resolve(manifest(rooms, rows=rows)).account for rows in (10, 60))
    assert by_reason(small)["beyond"] == by_reason(large)["beyond"] + 50
    assert by_reason(small) | {"beyond": 0} == by_reason(large) | {"beyond": 0}


def test_an_account_that_loses_rows_is_no_account(rooms: Dataset) -> None:
    with pytest.raises(AssertionError, match="rows are missing"):
        replace(resolve(manifest(rooms)).account, rows=201)


def test_a_run_keeps_its_account_and_one_from_before_there_were_accounts_is_read(
    rooms: Dataset, tmp_path: Path
) -> None:
    asked = manifest(rooms, where=WHERES[2])
    subset = resolve(asked)
    provenance = provenance_of(asked, subset, overrides=[], processes=1)
    claim(tmp_path / "run", asked, provenance, resume=False)
    assert load_provenance(tmp_path / "run") == provenance
    assert load_provenance(tmp_path / "run").account == subset.account
    path = tmp_path / "run/provenance.json"
    record = json.loads(path.read_text())
    del record["account"]
    path.write_text(json.dumps(record))
    assert load_provenance(tmp_path / "run").account is None
    claim(tmp_path / "run", asked, provenance, resume=True)


def test_a_condition_named_twice_and_texts_with_and_are_counted(rooms: Dataset) -> None:
    where = "key <> ' AND ' AND edge_density > 0.03 AND edge_density > 0.03"
    account = resolve(manifest(rooms, where=where)).account
    assert [part.text for part in account.conjuncts] == ["key <> ' AND '", "edge_density > 0.03"]
    assert np.all([part.alone in (0, part.keeps_out) for part in account.conjuncts])
