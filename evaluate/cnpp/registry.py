"""What ControlNet++ measures, by the annotator whose conditions were trained on."""

from evaluate.cnpp.canny import CANNY
from evaluate.cnpp.depth import DEPTH
from evaluate.cnpp.hed import HED
from evaluate.cnpp.judge import Rules
from evaluate.cnpp.lineart import LINEART
from evaluate.cnpp.segmentation import SEGMENTATION

RULES: dict[str, Rules] = {
    "canny": CANNY,
    "hed": HED,
    "softedge": HED,  # one ControlNet obeys both, and there it is judged by HED
    "lineart": LINEART,
    "depth": DEPTH,
    "segmentation": SEGMENTATION,
}


def rules_of(annotator: str) -> Rules:
    """How ControlNet++ judges an annotator's conditions.

    Raises:
        ValueError: It has no measure of them.
    """
    if annotator not in RULES:
        raise ValueError(
            f"cnpp: ControlNet++ measures nothing of '{annotator}' (but of {', '.join(RULES)}). "
            "Read the measures of the report instead"
        )
    return RULES[annotator]
