"""A photo's bytes to what the network and the filters see of it."""

import numpy as np
from numpy.typing import NDArray

from midas_server.imaging.decode import decode
from midas_server.imaging.geometry import resize_photo
from midas_server.imaging.probe import Header

Pixels = NDArray[np.uint8]


def network_input(
    data: bytes, header: Header, network: tuple[int, int], guide: tuple[int, int] | None = None
) -> tuple[Pixels, Pixels | None]:
    """Decode once: at a reduced size where only the network looks at the photo, in full where a filter does too.

    Args:
        data: the file whose `header` was probed.
        header: what `probe` returned for it.
        network: (width, height) of the network's input.
        guide: (width, height) at which a filter needs the photo, the photo's own or the network's; None if none does.

    Returns:
        The network's input uint8 RGB `[h, w, 3]`, and the guide uint8 RGB `[H, W, 3]` or None.

    Raises:
        InvalidRequest: see `decode`.
    """
    at_full_size = guide == (header.width, header.height)
    photo = decode(data, header, None if at_full_size else network)
    pixels = resize_photo(photo, network)
    if guide is None:
        return pixels, None
    return pixels, photo if at_full_size else pixels
