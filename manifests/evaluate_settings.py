"""The section of a manifest that says how held-out conditions are drawn and scored."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt, model_validator

from manifests.train_settings import Precision

Split = Literal["test", "train"]
Geometry = Literal["centre", "squash"]
Prompts = Literal["perfect", "none", "insufficient", "conflicting"]
Beside = Literal["own", "another", "none"]
Method = Literal["control", "sdedit", "hint"]
Guess = Literal["", "code", "diffusers", "paper"]
Share = Annotated[float, Field(ge=0, le=1)]


class EvaluateSettings(BaseModel):
    """How to draw the held-out conditions. Defaults are the paper's: DDIM, 20 steps, guidance 9."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    split: Split = "test"  # train: of the subset itself, to see what was learned by heart
    samples: PositiveInt = 500
    draws: PositiveInt = 1  # pictures per sample
    geometry: Geometry = "centre"  # what is drawn: the square in the middle, or all of the picture, squashed
    prompts: Prompts = "perfect"  # its captions; none; the last half of their words; or another sample's
    scored: str = ""  # which of several conditions; "": the manifest's first
    beside: Beside = "own"  # at the places of all others: the sample's own; another sample's; or nothing
    method: Method = "control"  # what makes the pictures: the control; SDEdit of the hint; or the hint is the picture
    strength: Share = 0.8  # of SDEdit: how much of the way from picture to noise a hint is taken, and back
    scheduler: str = "ddim"
    steps: PositiveInt = 20
    guidance: NonNegativeFloat = 9.0
    guess: Guess = ""  # guess mode: the control speaks to the half with a caption alone, weighed as whose code says
    control_scale: NonNegativeFloat = 1.0
    control_start: Share = 0.0  # of the steps: before it the base draws alone
    control_end: Share = 1.0  # of the steps: after it the base draws alone
    negative_prompt: str = ""
    precision: Precision = "no"  # of the networks that draw
    seed: int = 0
    batch_size: PositiveInt = 8

    @model_validator(mode="after")
    def _ordered(self) -> "EvaluateSettings":
        if self.control_start >= self.control_end:
            raise ValueError(
                f"control_start {self.control_start:g} is not before control_end {self.control_end:g}, so that the "
                "control would never take part. Set control_scale to 0 for that"
            )
        if self.method == "sdedit" and int(self.steps * self.strength) < 1:
            raise ValueError(
                f"strength {self.strength:g} of {self.steps} steps is not one step, so that SDEdit would leave the "
                "hint as it is. Raise strength, or set method to hint for that"
            )
        return self
