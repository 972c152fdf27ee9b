"""Makes web/app importable by the name it has in the worker."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "web"))
