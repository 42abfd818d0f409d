"""A process that a system kills for its memory while it is at its third row."""

import os
import signal
import sys

from annotate.care import read_care

if __name__ == "__main__":
    care = read_care(*sys.argv[1:])
    care.note([3])
    os.kill(os.getpid(), signal.SIGKILL)
