"""Adherence: agreement of the condition asked for with the one re-annotated, measurement against measurement."""

from evaluate.measures.classes import CLASSES
from evaluate.measures.depth import DEPTH
from evaluate.measures.edges import EDGES, STROKES
from evaluate.measures.lines import LINES
from evaluate.measures.measure import Adherence
from evaluate.measures.normal import NORMAL
from evaluate.measures.people import PEOPLE
from evaluate.measures.soft_edges import SOFT_EDGES

ADHERENCE: dict[str, Adherence] = {  # by annotator; words are no condition that a picture could obey by itself
    "canny": EDGES,
    "depth": DEPTH,
    "hed": SOFT_EDGES,
    "softedge": SOFT_EDGES,
    "normal": NORMAL,
    "openpose": PEOPLE,
    "lineart": SOFT_EDGES,
    "mlsd": LINES,
    "scribble": STROKES,
    "segmentation": CLASSES,
}
