"""What a dataset's card tells people: what is in it, how it was made, whose it is, and what is not known of it."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.index import ROWS, index_path, read_index
from manifests.layout import DROPPED, IMAGES
from manifests.licences import UNSAID, Licences
from manifests.markdown import plain, table
from manifests.parallel import in_parallel
from manifests.record import STATUSES
from manifests.removed import removed_pictures
from manifests.splits.hashes import is_hash
from manifests.storage import read_columns

EXAMPLES = "examples.webp"  # a strip of rows with their hints; who draws makes it
SHOWN = 12  # licences and reasons, of many
QUANTILES = {"least": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "greatest": 1.0}
RESTRICTED = ("non-commercial", "research only", "-nc")  # in the licence of weights


def describe(dataset: Dataset, rows: int, licences: Licences) -> list[str]:
    """Lines of Markdown. Footers, the index and small columns are read, no picture."""
    cards = [dataset.card(family) for family in dataset.families()]
    corpora = ", ".join(corpus_name(corpus) for corpus in dataset.corpora())
    shown = [f"![Rows of it, each with its conditions as a network reads them]({EXAMPLES})", ""]
    return [
        f"# {dataset.root.name}",
        "",
        f"Paired conditions made by Pairmill from {corpora}: {rows:,} pictures.",
        "",
        *(shown if (dataset.root / EXAMPLES).exists() else []),
        *_loading(dataset, cards),
        *_rows(dataset, rows),
        *_families(dataset, cards),
        *_stats(dataset, cards),
        *licence_lines(licences, cards),
        *_limits(dataset, cards, licences, rows),
    ]


def corpus_name(corpus: str) -> str:
    """A corpus without the folders it lies in, which are nobody's business; the name of a generated or Hub one."""
    return plain(corpus.rstrip("/").rsplit("/", 1)[-1] if "/" in corpus and not corpus.startswith("hub:") else corpus)


def licence_lines(licences: Licences, cards: Sequence[FamilyCard]) -> list[str]:
    """Licences of pictures and of weights, with plain words where these forbid something."""
    most = licences.rows.most_common(SHOWN)
    counted = [(plain(name) if name != UNSAID else "not said", f"{count:,}") for name, count in most]
    rest = licences.rows.total() - sum(count for _, count in most)
    counted += [(f"{len(licences.rows) - SHOWN:,} others", f"{rest:,}")] if rest else []
    lines = ["## Licences", "", "Of the pictures and captions, as their corpus says:", ""]
    lines += [*table(("licence", "rows"), counted), ""]
    if licences.optout:
        lines += [f"The source of {licences.optout:,} rows asks that they not be used for training (`optout`).", ""]
    return lines + weights_lines(cards)


def weights_lines(cards: Sequence[FamilyCard]) -> list[str]:
    """Licences of the weights that made conditions, with plain words where these forbid something; maybe no lines."""
    lines = []
    weights = [(card.family, found) for card in cards for found in card.weights]
    if weights:
        rows = [(family, plain(of.file), plain(of.licence), plain(of.source), of.sha256[:16]) for family, of in weights]
        lines += ["Of the weights that made conditions:", ""]
        lines += [*table(("family", "file", "licence", "source", "sha256"), rows), ""]
    bound = {card.family for card in cards for of in card.weights if is_restricted(of.licence)}
    if bound:
        lines += [
            f"**{', '.join(sorted(bound))}: made by weights that are not licensed for commercial use.** Whether that "
            "binds what they made, and a network trained on it, is for you to settle before you sell either.",
            "",
        ]
    return lines


def is_restricted(licence: str) -> bool:
    """Whether a licence of weights forbids commercial use."""
    return any(word in licence.lower() for word in RESTRICTED)


def _loading(dataset: Dataset, cards: Sequence[FamilyCard]) -> list[str]:
    name, example = dataset.root.name, cards[0].family if cards else IMAGES
    return [
        "```python",
        f'rows = datasets.load_dataset("{name}", "{example}", split="corpus")  # or streaming=True: without a copy',
        f'both = manifests.hub.join(manifests.dataset.Dataset.open("{name}"), ["{example}"])  # beside their pictures',
        "```",
        "",
        "Each family is a configuration of its own, with the same rows in the same order as `images`. The split is "
        "called `corpus` because which rows train is the business of a manifest: `pipelines/export.py MANIFEST OUT` "
        "writes train, validation and test.",
        "",
    ]


def _rows(dataset: Dataset, rows: int) -> list[str]:
    counts = [("kept", f"{rows:,}")]
    if index_path(dataset, ROWS).exists():
        split = Counter(_counts(read_index(dataset, ROWS, ["split"])["split"]))
        counts += [(f"of them {name}", f"{split[name]:,}") for name in sorted(split, key=_place)]
    gone = len(removed_pictures(dataset))
    counts += [("pictures taken down since (still in the files)", f"{gone:,}")] if gone else []
    dropped = _dropped(dataset)
    reasons = [(f"dropped: {plain(reason)}", f"{count:,}") for reason, count in dropped.most_common(SHOWN)]
    rest = dropped.total() - sum(count for _, count in dropped.most_common(SHOWN))
    reasons += [("dropped for other reasons", f"{rest:,}")] if rest else []
    settings = dataset.settings
    shares = ", ".join(f"{name} {share:.0%}" for name, share in settings.splits.items())
    return [
        "## Rows",
        "",
        *table(("", "rows"), counts + reasons),
        "",
        f"Splits were drawn once for each cluster of `{settings.duplicates}` duplicates ({shares}), and are frozen.",
        "",
    ]


def _families(dataset: Dataset, cards: Sequence[FamilyCard]) -> list[str]:
    header = ("family", "kind", "annotator", "settings", "short side", *STATUSES, "fingerprint", "weights' licence")
    rows = []
    for card in cards:
        settings = ", ".join(f"{name}={plain(str(value))}" for name, value in card.settings.items()) or "-"
        licences = ", ".join(sorted({plain(weights.licence) for weights in card.weights})) or "-"
        annotator, resolution = f"{card.annotator} v{card.version}", card.resolution or "as stored"
        statuses = _statuses(dataset, card.family)
        rows.append(
            (card.family, card.kind, annotator, settings, resolution, *statuses, f"`{card.fingerprint}`", licences)
        )
    lines = ["## Families", "", *table(header, rows), ""] if rows else []
    for card in cards:
        if card.labels:
            lines += [f"Classes of {card.family}, from 0: {', '.join(map(plain, card.labels))}.", ""]
    return lines


def _statuses(dataset: Dataset, family: str) -> list[str]:
    if not index_path(dataset, family).exists():
        return ["not whole yet", "", ""]
    found = _counts(read_index(dataset, family, ["status"])["status"])
    return [f"{found.get(status, 0):,}" for status in STATUSES]


def _stats(dataset: Dataset, cards: Sequence[FamilyCard]) -> list[str]:
    rows = []
    for card in cards:
        stats = [name for name in card.stats if not is_hash(name)]
        if stats and index_path(dataset, card.family).exists():
            found = read_index(dataset, card.family, ["status", *stats])
            found = found.filter(pc.equal(found["status"], "ok"))
            rows += [row for name in stats for row in _quantiles(card.family, name, found[name])]
    return ["## Stats of ok rows", "", *table(("stat", *QUANTILES), rows), ""] if rows else []


def _quantiles(family: str, name: str, values: pa.ChunkedArray) -> list[list[str]]:
    """One row, or none if it is not of numbers or has none."""
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return []
    numbers = values.drop_null().to_numpy()
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return []
    places = np.quantile(numbers, list(QUANTILES.values()), method="nearest").tolist()
    return [[f"{family}.{name}", *(f"{value:.4g}" for value in places)]]


def _limits(dataset: Dataset, cards: Sequence[FamilyCard], licences: Licences, rows: int) -> list[str]:
    known = rows - licences.rows[UNSAID]
    lines = [
        "## Limits",
        "",
        "- Captions are those of the corpus, or a model's (families of kind text); nobody has checked them.",
        "- Conditions are what the annotators above measured, and err as these do. A status `empty` is a finding "
        "(nothing there), `failed` is a picture that could not be annotated.",
        "- Who is in the pictures, whether they agreed, and what of them is unfit to be seen was not looked at.",
        f"- A licence is known of {known:,} of {rows:,} rows, and was taken from the corpus as it stands.",
    ]
    if dataset.settings.duplicates == "exact":
        lines.append("- Duplicates are equal files; one picture in two sizes or encodings may lie in two splits.")
    if removed_pictures(dataset):
        lines.append("- Pictures that were taken down leave subsets and exports, and are still in the shards.")
    half = [card.family for card in cards if not index_path(dataset, card.family).exists()]
    lines += [f"- Not whole yet: {', '.join(half)}."] if half else []
    return lines


def _dropped(dataset: Dataset) -> Counter[str]:
    """Records by stage and reason."""
    found = Counter[str]()
    paths = [dataset.path(DROPPED, name) for name in dataset.shards(DROPPED)]
    for read in in_parallel(lambda path: read_columns(path, ["stage", "reason"]), paths):
        pairs = zip(read["stage"].to_pylist(), read["reason"].to_pylist(), strict=True)
        found.update(f"{stage}: {reason}" for stage, reason in pairs)
    return found


def _counts(values: pa.ChunkedArray) -> Mapping[str, int]:
    return {str(of["values"]): of["counts"] for of in pc.value_counts(values).to_pylist()}


def _place(split: str) -> tuple[int, str]:
    order = ("train", "validation", "test")
    return (order.index(split) if split in order else len(order)), split
