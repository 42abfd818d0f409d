"""Anchors: what a score is held against, from no control at all to the real picture."""

CONTROLLED, SWAPPED, FLOOR, CEILING, ORACLE = "controlled", "swapped", "floor", "ceiling", "oracle"

ARMS: dict[str, str] = {
    FLOOR: "same captions and seeds, control off",
    SWAPPED: "the controlled pictures, scored against another sample's condition",
    CONTROLLED: "drawn with the condition, scored against it",
    CEILING: "the real picture through the autoencoder: the best this base can draw",
    ORACLE: "the real picture itself",
}


def partner(place: int, *, samples: int) -> int:
    """Whose condition a sample is scored against in the swapped arm: the next one's, round in a circle."""
    return (place + 1) % samples
