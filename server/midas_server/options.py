"""The options of a request: their names, values and defaults, checked in one place."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from midas_server.errors import InvalidRequest
from midas_server.imaging.geometry import MULTIPLE, ResizeRule, network_size

Aspect = Literal["keep", "square"]
OutputSize = Literal["photo", "network"]
Format = Literal["float32", "png16"]

MIN_RESOLUTION = 128
MAX_RESOLUTION = 1280
# A float map travels uncompressed: 4 bytes a pixel through every process on its way.
MAX_FLOAT_PIXELS = 16_000_000


@dataclass(frozen=True)
class VariantRules:
    """What differs between variants for the pipeline; export writes it into the preprocess step's config.

    Attributes:
        variant: the official name.
        resolution: default side of the square given to the resize rule.
        resize: the official resize rule; ``square`` for a network that takes only its square.
        max_area: largest network input in pixels.
    """

    variant: str
    resolution: int
    resize: ResizeRule
    max_area: int

    @property
    def fixed(self) -> bool:
        """Whether the network takes its own square and nothing else."""
        return self.resize == "square" and self.max_area == self.resolution**2

    @classmethod
    def from_config(cls, parameters: Mapping[str, Mapping[str, str]]) -> "VariantRules":
        """Read the rules from the `parameters` of a model config (as JSON, each value a string).

        Raises:
            ValueError: a parameter is missing or makes no sense.
        """

        def read(name: str) -> str:
            if name not in parameters:
                raise ValueError(f"the config has no parameter {name!r}: export the variant again")
            return parameters[name]["string_value"]

        resize = read("resize")
        if resize not in get_args(ResizeRule):
            raise ValueError(f"parameter 'resize' is {resize!r}, allowed are {', '.join(get_args(ResizeRule))}")
        return cls(read("variant"), int(read("resolution")), resize, int(read("max_area")))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Options:
    """The options of one request, all resolved; `as_json` is what INFO reports."""

    resolution: int
    aspect: Aspect
    output_size: OutputSize
    format: Format

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def resolve(parameters: Mapping[str, object], rules: VariantRules) -> Options:
    """Check the parameters of a request and fill in the defaults of the variant.

    Args:
        parameters: as Triton hands them on: int, float, bool or str by name.
        rules: the variant that the request is for.

    Raises:
        InvalidRequest: a name is unknown, or a value is not allowed; the text lists what is.
    """
    known = ("resolution", "aspect", "output_size", "format")
    for name in parameters:
        if name not in known:
            raise InvalidRequest(f"unknown option {name!r}: the options are {', '.join(known)}")
    only_square = rules.resize == "square"
    aspect = _choice(parameters, "aspect", get_args(Aspect), default="square" if only_square else "keep")
    if aspect == "keep" and only_square:
        raise InvalidRequest(
            f"option aspect=keep: {rules.variant} takes only squares, use aspect=square or leave it out"
        )
    return Options(
        resolution=_resolution(parameters, rules),
        aspect=aspect,  # type: ignore[arg-type]
        output_size=_choice(parameters, "output_size", get_args(OutputSize)),  # type: ignore[arg-type]
        format=_choice(parameters, "format", get_args(Format)),  # type: ignore[arg-type]
    )


def sizes(width: int, height: int, options: Options, rules: VariantRules) -> tuple[tuple[int, int], tuple[int, int]]:
    """The network's and the result's size, each (width, height), for a photo of `width` x `height`.

    Raises:
        InvalidRequest: the network's input or the result would be larger than allowed.
    """
    network = network_size(width, height, options.resolution, "square" if options.aspect == "square" else rules.resize)
    if network[0] * network[1] > rules.max_area:
        raise InvalidRequest(
            f"resolution={options.resolution} turns this {width}x{height} photo into {network[0]}x{network[1]} = "
            f"{network[0] * network[1]:,} pixels; {rules.variant} takes at most {rules.max_area:,}: "
            "use a smaller resolution, or aspect=square"
        )
    output = (width, height) if options.output_size == "photo" else network
    if options.format == "float32" and output[0] * output[1] > MAX_FLOAT_PIXELS:
        raise InvalidRequest(
            f"a float32 map of {output[0]}x{output[1]} has more than {MAX_FLOAT_PIXELS:,} pixels: "
            "use format=png16, or output_size=network"
        )
    return network, output


def _choice(parameters: Mapping[str, object], name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    value = parameters.get(name, allowed[0] if default is None else default)
    if value not in allowed:
        raise InvalidRequest(f"option {name}={value!r}: allowed are {', '.join(allowed)}")
    return str(value)


def _resolution(parameters: Mapping[str, object], rules: VariantRules) -> int:
    value = parameters.get("resolution", rules.resolution)
    if rules.fixed and value != rules.resolution:
        raise InvalidRequest(
            f"option resolution={value!r}: {rules.variant} takes only {rules.resolution}x{rules.resolution}, "
            "leave the option out"
        )
    # bool is an int to Python, not to a caller
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not MIN_RESOLUTION <= value <= MAX_RESOLUTION or value % MULTIPLE:  # type: ignore[operator]
        raise InvalidRequest(
            f"option resolution={value!r}: allowed are integers from {MIN_RESOLUTION} to {MAX_RESOLUTION} in steps of "
            f"{MULTIPLE}; the default of {rules.variant} is {rules.resolution}"
        )
    return value  # type: ignore[return-value]
