"""What a training leaves: RUN/controlnet/, and RUN/best/ while a better one may still come."""

import shutil
from functools import partial
from pathlib import Path

from train.checkpoint import save_folder
from train.control.registry import save_control
from train.engine import Engine
