"""A row of the table: everything that differs between networks.

max_area and max_batch_size together bound memory: a full batch of the largest photos stays within PLANNED_MEMORY, by
the estimate of `Variant.activation_bytes`. A row trades the one for the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from midas_server.network_output import Kind, Upsampling

Resize = Literal["minimal", "upper_bound", "lower_bound", "square"]
Aspect = Literal["keep", "square"]
Layout = Literal["nchw", "nhwc"]
RGB = tuple[float, float, float]

IMAGENET_MEAN: RGB = (0.485, 0.456, 0.406)
IMAGENET_STD: RGB = (0.229, 0.224, 0.225)

PLANNED_MEMORY = 4 << 30  # bytes, for the activations of one network step; weights come on top


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a network's weights come from.

    Attributes:
        file: name of the checkpoint, as `weights/` has it.
        licence: of the weights, by its SPDX name, or "not stated".
        url: address of the official file; None where there is none, as for a network of the project's own.
        sha256: digest of the official file or its first hex digits; None where it is not known.
    """

    file: str
    licence: str
    url: str | None = None
    sha256: str | None = None

    @property
    def official(self) -> bool:
        """Whether the network's authors publish the weights."""
        return self.url is not None


@dataclass(frozen=True, kw_only=True)
class LargestAttention:
    """The attention that needs most memory, where every part of the photo sees every other.

    Attributes:
        heads: of one layer.
        query_patch, key_patch: side in pixels of what makes one token, of those that look and of those looked at.
        bias: whether it adds a position bias as large as its scores.
    """

    heads: int
    query_patch: int = 16
    key_patch: int = 16
    bias: bool = False

    def score_bytes(self, area: int) -> int:
        """Bytes of the float32 scores (heads x queries x keys) of a photo of `area` pixels."""
        return 4 * self.heads * (area // self.query_patch**2 + 1) * (area // self.key_patch**2 + 1)


@dataclass(frozen=True, kw_only=True)
class ServedNetwork:
    """What the served configs of any network depend on, official or not.

    Attributes:
        name: model name of the ensemble; the steps are called after it.
        resolution: default side in pixels, a multiple of `multiple`, that the resize rule is given.
        resize: how a photo is brought to network size; "square" means that the network takes only squares.
        max_area: largest network input in pixels (height x width) that a request may ask for.
        max_batch_size: most photos of equal network size that run as one batch.
        instances: of the network step; None leaves it to the size of the network.
        weight_count: how many numbers its weights are; 0 where that is not known.
        fixed_size: the graph takes resolution x resolution and nothing else.
        multiple: the grid: both sides of the input are multiples of it.
        max_side: largest height and width in pixels, where the network bounds them beside the area.
        aspect: the default of a network that takes any.
        kind: what the output means: relative inverse depth, larger is nearer; or depth in metres, larger is farther.
        max_depth: the farthest in metres that a metric network gives.
        upsampling: how the official code brings the output to the photo's size.
        float32_islands: what an fp16 graph computes in float32 beside the defaults of `export.precision.half`: node
            names contain one of these.
        float32_in_int8: what an int8 graph computes in float32 beside those of `export.precision.int8`, by name as
            above.
    """

    name: str
    resolution: int
    resize: Resize
    max_area: int
    max_batch_size: int
    weight_count: int = 0
    fixed_size: bool = False
    multiple: int = 32
    max_side: int | None = None
    aspect: Aspect = "keep"
    kind: Kind = "relative_inverse_depth"
    max_depth: float | None = None
    upsampling: Upsampling = "bicubic"
    instances: int | None = None
    float32_islands: tuple[str, ...] = ()
    float32_in_int8: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "ServedNetwork":
        """The network of these fields, with lists for tuples; raises TypeError where they are another version's."""
        kept: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in fields.items()}
        return cls(**kept)

    @property
    def licence(self) -> str | None:
        """Of the official weights; None for a network of the user's own."""
        return None

    @property
    def any_aspect(self) -> bool:
        """Whether the network takes any height and width on its grid."""
        return self.resize != "square"

    @property
    def default_rule(self) -> Resize:
        """How a photo is brought to network size where a request says nothing."""
        return "square" if self.aspect == "square" else self.resize


@dataclass(frozen=True, kw_only=True)
class Variant(ServedNetwork):
    """One network.

    Attributes:
        source: where its weights come from, and under which licence.
        family: which builder of `export.networks` makes the network.
        parameters: keyword arguments for that builder.
        mean, std: RGB normalisation of pixels in 0..1.
        untrained_gain: factor on the encoder's untrained weights, below 1 where its attention saturates otherwise.
        untrained_last: gain and bias of the last convolution of Depth Anything; see `export.weights.untrained`.
        pixel_bytes: what the decoder's last steps hold, in bytes for each pixel of the input.
        attention: the attention that needs most memory; None where none grows with the photo.
    """

    source: Source
    family: str
    parameters: Mapping[str, object] = field(hash=False)
    mean: RGB
    std: RGB
    untrained_gain: float = 1.0
    untrained_last: tuple[float, float] | None = None
    pixel_bytes: int = 1024
    attention: LargestAttention | None = None

    @property
    def licence(self) -> str:
        """Of the weights."""
        return self.source.licence

    @property
    def activation_bytes(self) -> int:
        """An upper estimate, in bytes, of what a full batch of the largest photos takes beside the weights.

        The decoder's last steps hold 256 channels at half size and 128 at full size: 1 KB a pixel; 64 and 32 in the
        two small networks: 256 bytes; 4 bytes for each of its `features` in Depth Anything. Attention holds its scores
        before and after the softmax. BEiT adds its position bias, of the same size but once a batch, and holds it twice
        while it puts it together. Next-ViT attends from a grid of 8 pixels to one of 32, with 6 heads, where that costs
        most.

        Measured with ONNX Runtime at 768 x 768: ViT-L 0.97 GB (estimate 1.28), a batch of two 1.96 (2.57), BEiT-B 1.32
        (1.63), hybrid 0.68 (1.11); ViT-L at 1024 x 1024 2.46 (3.22).
        """
        scores = self.attention.score_bytes(self.max_area) if self.attention else 0
        bias = scores if self.attention and self.attention.bias else 0
        return self.max_batch_size * (self.pixel_bytes * self.max_area + 2 * scores) + 2 * bias
