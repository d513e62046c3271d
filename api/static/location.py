"""Where the files of the pages lie."""

from pathlib import Path

STATIC = Path(__file__).resolve().parent
