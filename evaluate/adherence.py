"""Adherence: agreement of the condition asked for with the one re-annotated, measurement against measurement."""

from evaluate.measures.depth import DEPTH
from evaluate.measures.edges import EDGES, STROKES
from evaluate.measures.measure import Adherence
from evaluate.measures.normal import NORMAL
from evaluate.measures.soft_edges import SOFT_EDGES

ADHERENCE: dict[str, Adherence] = {  # by annotator
    "canny": EDGES,
    "depth": DEPTH,
    "hed": SOFT_EDGES,
    "normal": NORMAL,
    "scribble": STROKES,
}
