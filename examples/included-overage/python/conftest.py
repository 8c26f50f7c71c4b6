"""Finds the SDK beside this repository when it is not installed."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "sdk" / "python"))
