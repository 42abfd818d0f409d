"""Adherence: agreement of the condition asked for with the one re-annotated, measurement against measurement."""

from evaluate.measures.edges import EDGES, STROKES
from evaluate.measures.lines import LINES
from evaluate.measures.measure import Adherence
from evaluate.measures.soft_edges import SOFT_EDGES

ADHERENCE: dict[str, Adherence] = {  # by annotator
    "canny": EDGES,
    "hed": SOFT_EDGES,
    "lineart": SOFT_EDGES,
    "mlsd": LINES,
    "scribble": STROKES,
}
