"""Why a number of ours may not stand beside a published one: every way in which they were made otherwise, in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotate.weights import LOCAL
from evaluate.cnpp.published import Published, Way
from evaluate.spec import Protocol, Spec
from manifests.evaluate_settings import EvaluateSettings

# The first is gone from the Hub, the second its copy.
BASES = {"stable-diffusion-v1-5": ("runwayml/stable-diffusion-v1-5", "stable-diffusion-v1-5/stable-diffusion-v1-5")}
SETTINGS = {  # of an evaluation, that a published way names too
    "geometry": "how pictures were made square",
    "draws": "draws of a prompt",
    "scheduler": "scheduler",
    "steps": "steps",
    "guidance": "guidance",
    "negative_prompt": "negative prompt",
    "precision": "precision",
}
# Which they leave as we do by default.
PLAIN = ("prompts", "beside", "method", "guess", "control_scale", "control_start", "control_end")
# As manifests.geometry resizes, and as eval/eval.py:170 does.
RESIZED = "pictures were made smaller by area, larger by Lanczos' kernel, published: by PIL's bicubic kernel"
MISSING = {"seg_miou@cnpp-ade": "road and skyscraper, drawn in one colour, are left out here"}


def comparable(spec: Spec, row: Published, *, weights: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Every way in which an evaluation is known to differ from a published row; nothing if they may be compared.

    Annotators are told apart by their names alone: a fingerprint does not say which settings are behind it. Nor does
    the id of a dataset say which corpus was ingested, so that this always differs.

    Args:
        spec: of the evaluation.
        weights: of our judge, as the identity of `evaluate.cnpp.look.Cnpp` has them.
    """
    return [*_doubts(row), *_samples(spec, row), *_drawn(spec.protocol, row.way), *_judged(row, weights)]


def _doubts(row: Published) -> Iterator[str]:
    if row.evidence == "recalled":
        yield "the published number is recalled: nobody here has read it"
    if row.note:
        yield f"published: {row.note}"


def _samples(spec: Spec, row: Published) -> Iterator[str]:
    protocol = spec.protocol
    if protocol.dataset != row.dataset:
        yield f"pictures of dataset {protocol.dataset[:8]}, published: of {row.dataset}'s validation split"
    if spec.asked != row.samples:
        yield f"{spec.asked:,} prompts, published: {row.samples:,} (as we recall)"
    if protocol.annotator != row.hints:
        yield f"hints by annotator {protocol.annotator}, published: {row.hints}"
    if protocol.captions:
        yield f"prompts by another family ({protocol.captions}), published: the set's own"
    if protocol.further and protocol.method == "control" and protocol.settings.get("beside") != "none":
        yield f"beside it {', '.join(protocol.further)} was shown, published: the condition alone"
    yield RESIZED


def _drawn(protocol: Protocol, way: Way | None) -> Iterator[str]:
    settings = {**EvaluateSettings().model_dump(), **protocol.settings}  # an older evaluation lacks the later ones
    if way is None:
        yield "no published code says how its pictures were drawn"
        return
    if protocol.base.partition(", ")[0] not in (way.base, *BASES.get(way.base, ())):  # behind it a digest of weights
        yield f"base: {protocol.base}, published: {way.base}"
    if protocol.resolution != way.resolution:
        yield f"resolution: {protocol.resolution}, published: {way.resolution}"
    theirs = way.model_dump()
    for name, words in SETTINGS.items():
        if settings[name] != theirs[name]:
            yield f"{words}: {_said(settings[name])}, published: {_said(theirs[name])}"
    for name in PLAIN:
        if settings[name] != EvaluateSettings.model_fields[name].default:
            yield f"{name}: {_said(settings[name])}, published: not used"


def _judged(row: Published, weights: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    others = sorted({str(each["source"]) for each in weights if row.judge not in (each["source"], each["file"])})
    local = [str(each["file"]) for each in weights if each["source"] == LOCAL]
    if row.judge and others:
        yield f"judged by {', '.join(others)}, published: by {row.judge}"
    if local:
        yield f"{', '.join(local)} is another file than the published one of that name"
    if row.measure in MISSING:
        yield MISSING[row.measure]


def _said(value: Any) -> str:
    return repr(value) if isinstance(value, str) else f"{value}"
