"""Square windows on a square grid of tokens, as Swin and Swin v2 cut them.

Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (ICCV 2021).

Attention runs within windows. In every other block the windows are shifted by half their side, cyclically, so that
neighbours come to talk across window borders. A window that the shift glued together from opposite edges of the grid
holds tokens that are not neighbours; a mask keeps those apart.
"""

import torch
from torch import Tensor, nn

APART = -100.0  # added to the logit of two tokens that must not see each other


class Windows(nn.Module):
    """The windows of one block. A grid no larger than a window is a single window, and is not shifted.

    Args:
        grid: tokens in a row and in a column.
        channels: of a token.
        side: of a window, in tokens; divides `grid`.
        shifted: by half a window.

    Attributes:
        side: of a window, no larger than the grid.
        mask: what to add to the logits, float32 (windows, 1, N, N), or None where nothing needs keeping apart.
    """

    order: Tensor
    inverse: Tensor
    mask: Tensor | None

    def __init__(self, grid: int, channels: int, side: int, *, shifted: bool) -> None:
        super().__init__()
        self.channels = channels
        self.side = min(side, grid)
        self.tokens = self.side**2
        self.all_tokens = grid**2
        shift = self.side // 2 if shifted and grid > side else 0
        # Shift and cut at once: a window's tokens are rows of one gather.
        tokens = torch.arange(grid**2).reshape(grid, grid).roll((-shift, -shift), (0, 1))
        count = grid // self.side  # windows in a row and in a column
        windows = tokens.reshape(count, self.side, count, self.side).transpose(1, 2).reshape(-1, self.tokens)
        order = windows.flatten()
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("inverse", order.argsort(), persistent=False)
        mask = None
        if shift:
            places = torch.stack((windows // grid, windows % grid), dim=-1)  # (windows, N, 2): row, column
            distance = (places[:, :, None] - places[:, None]).abs().amax(dim=-1)  # (windows, N, N)
            mask = APART * (distance >= self.side).float()[:, None]  # no window of neighbours is that wide
        self.register_buffer("mask", mask, persistent=False)

    def cut(self, x: Tensor) -> Tensor:
        """(B * all tokens, C), row by row -> (B * windows * N, C), window by window."""
        return self._reordered(x, self.order)

    def join(self, windows: Tensor) -> Tensor:
        """(B * windows * N, C), window by window -> (B * all tokens, C), row by row."""
        return self._reordered(windows, self.inverse)

    def _reordered(self, x: Tensor, order: Tensor) -> Tensor:
        if self.tokens == self.all_tokens:
            return x
        return x.reshape(-1, self.all_tokens, self.channels).index_select(1, order).reshape(-1, self.channels)

    def masked(self, logits: Tensor, heads: int) -> Tensor:
        """(B * windows, heads, N, N) -> the same, with the mask added."""
        if self.mask is None:
            return logits
        windows, count = self.all_tokens // self.tokens, self.tokens
        return (logits.reshape(-1, windows, heads, count, count) + self.mask).reshape(-1, heads, count, count)


def relative_positions(side: int) -> Tensor:
    """For each two tokens of a window the index of their relative position, int64 (N, N), N = side * side.

    The index is (row difference + side - 1) * (2 * side - 1) + (column difference + side - 1).
    """
    axis = torch.arange(side)
    tokens = torch.cartesian_prod(axis, axis)  # (N, 2): row, column
    difference = tokens[:, None] - tokens[None] + side - 1  # (N, N, 2), from 0 to 2 * side - 2
    return difference[..., 0] * (2 * side - 1) + difference[..., 1]
