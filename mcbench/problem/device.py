"""Devices by name."""

from __future__ import annotations

import torch

from mcbench.errors import UsageError


def device_of(name: str) -> torch.device:
    """The device of that name; ``auto`` is a GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"device '{name}' cannot be used: {reason}; give cpu, cuda, cuda:N or auto"
        ) from None
    return device
