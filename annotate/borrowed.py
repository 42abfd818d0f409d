"""Networks of controlnet_aux: its import takes seconds and warns of packages that nothing here needs."""

import warnings
from importlib import import_module
from typing import Any


def borrow(module: str) -> Any:
    """A module of controlnet_aux, e.g. "lineart"; to be called where an annotator is loaded, never at import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(f"controlnet_aux.{module}")
