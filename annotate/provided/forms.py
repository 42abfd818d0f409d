"""The forms in which a corpus may carry a condition: of which kind each is, and how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from annotate.provided.figures import read_lines, read_people
from annotate.provided.rasters import read_binary, read_classes, read_depth, read_normal, read_soft
from annotate.provided.reading import Read
from manifests.condition import Kind


@dataclass(frozen=True)
class Form:
    """A kind of condition, as some corpora have it."""

    kind: Kind
    read: Read


FORMS: Mapping[str, Form] = {
    "binary": Form("binary", read_binary),
    "soft": Form("soft", read_soft),
    "classes": Form("classes", partial(read_classes, first=0)),  # 255: none
    "classes-from1": Form("classes", partial(read_classes, first=1)),  # 0 and 255: none, as in ADE20K's masks
    "depth-farther": Form("depth", partial(read_depth, farther=True)),  # metres, millimetres: larger is farther
    "depth-nearer": Form("depth", partial(read_depth, farther=False)),  # disparity, inverse depth: larger is nearer
    "normal-down": Form("normal", partial(read_normal, up=False)),  # green grows downward, as in OpenCV
    "normal-up": Form("normal", partial(read_normal, up=True)),  # green grows upward, as in OpenGL
    "keypoints": Form("keypoints", read_people),
    "lines": Form("lines", read_lines),
}
