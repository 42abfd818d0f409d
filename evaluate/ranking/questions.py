"""What raters are asked of the pictures of one sample: the two questions of the ControlNet paper's user study."""

QUALITY, FIDELITY = "quality", "fidelity"


def questions(condition: str) -> dict[str, dict[str, str]]:
    """By name what the page asks, in the order in which it asks.

    Args:
        condition: what the pictures were to obey, as canny.
    """
    return {
        QUALITY: {
            "title": "Which picture looks best?",
            "note": "Judge the picture alone: whether it is sharp, natural, free of faults, and shows what is written.",
        },
        FIDELITY: {
            "title": f"Which picture follows the {condition} condition most closely?",
            "note": "Judge only whether what the condition asks for is there, in its place. Beauty does not count.",
        },
    }
