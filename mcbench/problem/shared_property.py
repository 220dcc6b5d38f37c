"""`shared_property`, a cached property that an object shares with all views of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    shared_property = cached_property  # Of its type.
else:

    class shared_property(cached_property):
        """A property computed once, by the object whose view this is: ``_whole``, if not None."""

        def __get__(self, view: Any, owner: type | None = None) -> Any:
            """The value, computed at its first use."""
            if view is None or view._whole is None:
                return super().__get__(view, owner)
            return getattr(view._whole, self.attrname or "")
