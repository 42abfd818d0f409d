"""Anchors: what a score is held against, from no control at all to the real picture."""

CONTROLLED, SWAPPED, FLOOR, BLANK, CEILING, ORACLE = "controlled", "swapped", "floor", "blank", "ceiling", "oracle"

SPAN = (FLOOR, CONTROLLED, CEILING)  # what a share of the way is made of

TRUTH = "truth-"  # before the name of an arm: the same pictures, scored against what the corpus knows to be true

ARMS: dict[str, str] = {
    FLOOR: "same captions and seeds, control off",
    BLANK: "a grey picture, annotated: what is scored for finding nothing",
    SWAPPED: "the controlled pictures, scored against another sample's condition",
    CONTROLLED: "drawn with the condition, scored against it",
    CEILING: "the real picture through the autoencoder: the best this base can draw",
    ORACLE: "the real picture itself",
}
