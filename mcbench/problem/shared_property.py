"""`shared_property`, a value that an object and all views of it have in common."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    shared_property = cached_property  # Of its type.
else:

    class shared_property(cached_property):
        """Computed once, by the object that ``_whole`` names where it is no ``None``."""

        def __get__(self, view: Any, owner: type | None = None) -> Any:
            """The value, computed now if it was not."""
            if view is None or view._whole is None:
                return super().__get__(view, owner)
            return getattr(view._whole, self.attrname or "")
