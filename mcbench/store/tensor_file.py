"""Files of tensors with a JSON record and a SHA-256 hash of both, in safetensors format."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from mcbench.errors import DamagedError
from mcbench.paths.params import Params, feed
from mcbench.store.key import canonical


def write(path: Path, tensors: Params, record: dict[str, Any]) -> None:
    """Write tensors and a record; tensors that share memory are written one by one."""
    from safetensors.torch import save_file

    pointers: set[int] = set()
    separate = {}
    for name, x in tensors.items():
        x = x.detach().cpu().contiguous()
        pointer = x.untyped_storage().data_ptr()
        separate[name] = x.clone() if pointer in pointers else x
        pointers.add(pointer)
    digest = _content_hash(separate, record)
    save_file(separate, path, {"record": json.dumps(record), "sha256": digest})


def read(path: Path, only_record: bool = False) -> tuple[Params, dict[str, Any]]:
    """The tensors (on the CPU) and the record.

    Arguments:
        path: The file.
        only_record: Whether to leave the tensors out, and the hash unchecked.

    Raises:
        DamagedError: If the file is truncated or was altered.
        FileNotFoundError: If there is none.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            names = () if only_record else file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
        record: dict[str, Any] = json.loads(metadata["record"])
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{path} is damaged: {error}") from None
    if not only_record and _content_hash(tensors, record) != metadata.get("sha256"):
        raise DamagedError(f"{path} is damaged: its content does not match its hash")
    return tensors, record


def _content_hash(tensors: Params, record: dict[str, Any]) -> str:
    digest = hashlib.sha256(canonical(record).encode())
    feed(digest, tensors)
    return digest.hexdigest()
