"""Decoding of one image file: its pixels as they are meant, or an error that names the file."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any, Literal

from mcbench.errors import UsageError, reason_of

if TYPE_CHECKING:
    from torch import Tensor

Channels = Literal["RGB", "L"]

EIGHT_BITS = frozenset({"1", "L", "P", "RGB", "CMYK", "YCbCr", "LA", "PA", "RGBA"})
"""Pillow's modes whose conversion to RGB or grey keeps the range of 8 bits."""

SIXTEEN_BITS = frozenset({"PNG", "PPM"})
"""Formats whose grey images of more than 8 bits fill the range of 16 bits."""


def decode(file: pathlib.Path, channels: Channels, size: int = 0) -> Tensor:
    """The pixels of an image, shape (channels, height, width), upright as EXIF says.

    They are uint8, or for grey images of 16 bits float32 in [0, 1], the value over 65,535. Colours
    are converted by Pillow: palettes and CMYK to RGB, RGB to grey by the weights of ITU-R 601.

    Arguments:
        file: The image.
        channels: ``RGB``, or ``L``: grey.
        size: Resize to so many pixels square (bilinear); 0: leave the size.

    Raises:
        UsageError: If it cannot be decoded, is transparent somewhere, has several frames, or its
            values have no known range.
    """
    import numpy as np
    import torch
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            _check(file, opened)
            image = ImageOps.exif_transpose(opened)
            if opened.mode.startswith("I"):
                image = Image.fromarray(np.asarray(image).astype(np.float32) / np.float32(65535))
            else:
                image = image.convert(channels)
            if size:
                image = image.resize((size, size), Image.Resampling.BILINEAR)
            pixels = torch.from_numpy(np.array(image))
    except UsageError:
        raise
    except Exception as error:  # Decoders raise whatever a damaged file leads them to.
        reason = error if isinstance(error, OSError) else reason_of(error)
        raise UsageError(f"{file} cannot be read as an image: {reason}") from None
    if pixels.dim() == 3:
        return pixels.permute(2, 0, 1)
    return pixels.expand(3, -1, -1) if channels == "RGB" else pixels[None]


def _check(file: pathlib.Path, image: Any) -> None:
    """Test that the pixels of an image (Any: one of many classes of Pillow) have one meaning.

    Raises:
        UsageError: If they have not.
    """
    deep = image.mode.startswith("I") and image.format in SIXTEEN_BITS
    if not deep and image.mode not in EIGHT_BITS:
        raise UsageError(
            f"{file} has pixels of Pillow's mode '{image.mode}', whose range is not known: save "
            "it with 8 bits per channel, or as grey PNG with 16"
        )
    if getattr(image, "is_animated", False) and image.format != "MPO":  # A photo and previews.
        raise UsageError(f"{file} has {image.n_frames} frames: save each as an image of its own")
    alpha = "A" in image.mode or "transparency" in image.info
    if alpha and (deep or image.convert("RGBA").getchannel("A").getextrema()[0] < 255):
        raise UsageError(
            f"{file} is transparent: put it on a background, and save it without alpha"
        )
