"""What a manifest says of the network that is trained: its kind, and how its weights begin."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["controlnet", "mid_only", "unlocked_decoder", "lite", "t2i_adapter", "film", "concat"]


class ControlSettings(BaseModel):
    """The network that reads the hint. Defaults are the paper's and the released code's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Kind = "controlnet"  # a line of CONTROLS in train/control/registry.py
    start: Literal["base", "random"] = "base"  # weights of the trainable copy: the base's, or drawn anew
    connections: Literal["zero", "gaussian"] = "zero"  # first weights of what joins the copy to the base
    hint_encoder: Literal["released", "paper"] = "released"  # eight convolutions of 3x3; or the paper's four of 4x4
    hint_weights: Literal["released", "gaussian"] = "released"  # first ones of the hint encoder: code's or paper's
    joining: Literal["sum", "concat"] = "sum"  # of several conditions: a net each, summed; or one over all hints
    initial: str = ""  # trained weights to go on from: a diffusers folder, a single file, or a Hub name
