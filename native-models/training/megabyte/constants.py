"""The numbers that training and the app must have alike: contract/constants.json, which both read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONSTANTS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[3] / "contract" / "constants.json").read_text()
)
