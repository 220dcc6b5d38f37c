"""Content keys: hashes of what determines a result."""

from __future__ import annotations

import hashlib
import json


def canonical(value: object) -> str:
    """JSON text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=True)


def key_of(value: object) -> str:
    """The content key of what determines a result: 32 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]
