"""Names of files and anchors, made of texts by strangers."""

from __future__ import annotations

import hashlib
import re

LONGEST = 60


def slug(text: str) -> str:
    """A name of a-z, 0-9, ``-`` and ``.`` alone that stands for ``text`` and for no other.

    A text that is such a name stays as it is; any other gets a part of its hash, so that ``A b``
    and ``a-b`` have different names, on file systems that ignore case too.
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    plain = re.sub(r"\.{2,}", "-", plain)[:LONGEST].strip("-.")
    if plain and plain == text and not re.search(r"-[0-9a-f]{10}$", text):
        return plain
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{plain}-{mark}" if plain else mark
