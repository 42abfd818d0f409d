"""What made the pictures of the arm `controlled`, in words: the control, SDEdit, or nothing but the hint."""

from evaluate.spec import Protocol
from manifests.evaluate_settings import Method

WHO: dict[Method, tuple[str, str]] = {  # whose score it is: as it obeys, and as it has an effect
    "control": ("The ControlNet", "the control"),
    "sdedit": ("SDEdit", "SDEdit"),
    "hint": ("The hint itself", "the hint itself"),
}


def made_how(protocol: Protocol) -> str:
    """How the pictures were made, in a sentence and a space; "" where a control was shown one condition, as ever."""
    if protocol.method == "sdedit":
        strength = protocol.settings["strength"]
        return f"No control: SDEdit redrew the {protocol.condition} hints, noised to {strength:g} of the steps. "
    if protocol.method == "hint":
        return f"No network drew them: each is the {protocol.condition} hint itself. "
    families, beside = ", ".join(sorted(protocol.further)), protocol.settings.get("beside", "own")
    if not families:
        return ""
    if beside == "none":
        return f"The control was trained on {families} too, and shown {protocol.condition} alone. "
    whose = "another sample" if beside == "another" else "the same sample"
    return f"Beside {protocol.condition} the control was shown {families} of {whose}. "
