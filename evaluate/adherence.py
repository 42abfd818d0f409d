"""Adherence: agreement of the condition asked for with the one re-annotated, measurement against measurement."""

from evaluate.measures.edges import EDGES, STROKES
from evaluate.measures.measure import Adherence
from evaluate.measures.people import PEOPLE
from evaluate.measures.soft_edges import SOFT_EDGES

ADHERENCE: dict[str, Adherence] = {  # by annotator
    "canny": EDGES,
    "hed": SOFT_EDGES,
    "openpose": PEOPLE,
    "scribble": STROKES,
}
