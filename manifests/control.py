"""What a manifest says of the network that is trained: its kind, and how its weights begin."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["controlnet"]


class ControlSettings(BaseModel):
    """The network that reads the hint. Defaults are the paper's and the released code's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Kind = "controlnet"  # a line of CONTROLS in train/control/registry.py
    hint_weights: Literal["released", "gaussian"] = "released"  # first ones of the hint encoder: code's or paper's
