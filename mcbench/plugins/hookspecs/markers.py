"""The decorators of hook specifications and implementations."""

from __future__ import annotations

import pluggy

PROJECT = "mcbench"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
