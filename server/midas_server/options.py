"""The options of a request: their names, values and defaults in one table, checked in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from typing_extensions import assert_never

from midas_server.errors import InvalidRequest
from midas_server.imaging.colormaps import Colormap
from midas_server.imaging.network_size import (
    MIN_RESOLUTION,
    MULTIPLE,
    ResizeRule,
    network_size,
    resolutions_on,
)
from midas_server.network_output import KINDS, UPSAMPLINGS, Kind, Upsampling

Aspect = Literal["keep", "square"]
OutputSize = Literal["photo", "network"]
Format = Literal["float32", "float16", "png16", "png8", "color_png", "color_jpeg"]
Filter = Literal["none", "guided", "crf", "median", "bilateral"]
Equalize = Literal["none", "global", "clahe"]

FLOAT_FORMATS = ("float32", "float16")
COLOUR_FORMATS = ("color_png", "color_jpeg")
DISPLAY_FORMATS = ("png8", *COLOUR_FORMATS)
# These look at the photo, so it travels to the last step beside the depth.
GUIDED_FILTERS = ("guided", "crf")

# A float map travels uncompressed: 4 bytes a pixel through every process on its way.
MAX_FLOAT_PIXELS = 16_000_000
# A filter that looks at the photo holds it and several float maps in memory, at the size of the result.
MAX_GUIDED_PIXELS = 16_000_000

# The options whose value is one of a list, the default first. What aspect is by default is the variant's.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "aspect": get_args(Aspect),
    "output_size": get_args(OutputSize),
    "format": get_args(Format),
    "colormap": get_args(Colormap),
    "filter": get_args(Filter),
    "equalize": get_args(Equalize),
}


@dataclass(frozen=True)
class Setting:
    """A number that belongs to one value of `filter` or `equalize`.

    Attributes:
        option, value: what it belongs to, such as "filter", "guided".
        default: an int where only whole numbers are allowed.
        low, high: the smallest and the largest allowed.
        step: between whole numbers.
    """

    option: str
    value: str
    default: float
    low: float
    high: float
    step: int = 1

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers only."""
        return isinstance(self.default, int)


# What the numbers mean is told where they are used, in imaging/filters and imaging/equalize.
SETTINGS: Mapping[str, Setting] = {
    "guided_radius": Setting("filter", "guided", 2, 1, 32),
    "guided_eps": Setting("filter", "guided", 0.0001, 0.000001, 1.0),
    "crf_radius": Setting("filter", "crf", 8, 1, 64),
    "crf_contrast": Setting("filter", "crf", 3.0, 0.5, 64.0),
    "median_size": Setting("filter", "median", 3, 3, 5, step=2),
    "bilateral_radius": Setting("filter", "bilateral", 3, 1, 8),
    "bilateral_contrast": Setting("filter", "bilateral", 0.05, 0.001, 1.0),
    "clahe_clip": Setting("equalize", "clahe", 2.0, 1.0, 16.0),
    "clahe_tiles": Setting("equalize", "clahe", 8, 2, 16),
}

NAMES = ("resolution", *CHOICES, *SETTINGS)

# Which formats an option goes with; the others refuse it.
NEEDS_FORMAT: Mapping[str, tuple[str, ...]] = {"colormap": COLOUR_FORMATS, "equalize": DISPLAY_FORMATS}

DESCRIPTIONS: Mapping[str, str] = {
    "resolution": "Side of the square that is given to the variant's resize rule, on the variant's grid (32 for "
    "MiDaS). The default is the variant's.",
    "aspect": "Whether the network sees the photo's aspect ratio. The default is the variant's; keep is refused by a "
    "variant that takes only squares.",
    "output_size": "Size of the result: the photo's or the network's.",
    "format": "How the result travels: all but float32 are in ENCODED.",
    "colormap": "Colours of a picture.",
    "filter": "Edges where the photo has them (guided, crf), or fewer speckles (median, bilateral).",
    "equalize": "More contrast for the eye.",
    "guided_radius": "Radius of the windows, in pixels of the network.",
    "guided_eps": "Variance of a colour in 0 to 1 below which the photo counts as flat.",
    "crf_radius": "How far a value spreads over an even surface, in pixels of the network.",
    "crf_contrast": "Difference of colour in 0 to 255 across which depth spreads 1/e as much.",
    "median_size": "Side of the square whose median is taken, in pixels of the network.",
    "bilateral_radius": "Radius of the mean, in pixels of the network.",
    "bilateral_contrast": "Difference of depth that counts as an edge, as a share of the map's range.",
    "clahe_clip": "Bins of a histogram are cut at this many times the mean bin.",
    "clahe_tiles": "The picture is cut into so many parts along each side.",
}
"""One sentence or two for each name, as the JSON schema has them."""


@dataclass(frozen=True)
class VariantRules:
    """What differs between variants for the pipeline; export writes it into the preprocess step's config.

    Attributes:
        variant: the official name.
        resolution: default side of the square given to the resize rule.
        resize: the official resize rule for aspect=keep; `square` for a network that takes only squares.
        max_area: largest network input in pixels.
        max_side: largest height and width of the network's input, where it bounds them too (a TensorRT plan).
        multiple: the network's grid: both sides of its input are multiples of it.
        aspect: the default of a network that takes any.
        kind: what the network's output means.
        max_depth: the farthest in metres that a metric network gives.
        upsampling: how its output is brought to the photo's size.
        licence: of its official weights; None for a network of the user's own.
    """

    variant: str
    resolution: int
    resize: ResizeRule
    max_area: int
    max_side: int | None = None
    multiple: int = MULTIPLE
    aspect: Aspect = "keep"
    kind: Kind = "relative_inverse_depth"
    max_depth: float | None = None
    upsampling: Upsampling = "bicubic"
    licence: str | None = None

    @property
    def any_aspect(self) -> bool:
        """Whether the network takes any height and width on its grid."""
        return self.resize != "square"

    @property
    def fixed(self) -> bool:
        """Whether the network takes its own square and nothing else."""
        return not self.any_aspect and self.max_area == self.resolution**2

    @property
    def resolutions(self) -> range:
        """What a request may ask for."""
        if self.fixed:
            return range(self.resolution, self.resolution + 1)
        return resolutions_on(self.multiple)

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

        def number(name: str, at_most: int = 1 << 40) -> int:
            text = read(name)
            if not text.isascii() or not text.isdigit() or int(text) == 0 or int(text) > at_most:
                raise ValueError(f"parameter {name!r} is {text!r}, expected is a whole number from 1 to {at_most}")
            return int(text)

        def one_of(name: str, allowed: tuple[str, ...]) -> str:
            if read(name) not in allowed:
                raise ValueError(f"parameter {name!r} is {read(name)!r}, allowed are {', '.join(allowed)}")
            return read(name)

        kind: Any = one_of("kind", KINDS) if "kind" in parameters else "relative_inverse_depth"
        if (kind == "metric_depth") != ("max_depth" in parameters):
            raise ValueError(f"parameter 'max_depth' goes with kind=metric_depth, and kind is {kind}")
        return cls(
            read("variant"),
            number("resolution"),
            one_of("resize", get_args(ResizeRule)),  # type: ignore[arg-type]
            number("max_area"),
            number("max_side") if "max_side" in parameters else None,
            number("multiple", at_most=MIN_RESOLUTION) if "multiple" in parameters else MULTIPLE,
            one_of("aspect", get_args(Aspect)) if "aspect" in parameters else "keep",  # type: ignore[arg-type]
            kind,
            float(number("max_depth")) if "max_depth" in parameters else None,
            one_of("upsampling", UPSAMPLINGS) if "upsampling" in parameters else "bicubic",  # type: ignore[arg-type]
            read("licence") if "licence" in parameters else None,
        )

    def check_default(self) -> None:
        """Raises ValueError, in the words of an operator, if photos without options would be refused."""
        if self.resolution not in self.resolutions:
            allowed = self.resolutions
            raise ValueError(
                f"{self.variant} cannot be served: its default resolution is {self.resolution}, and allowed are "
                f"{_shown_range(allowed)}: export it again, which finds the grid of the network"
            )
        if self.resolution**2 > self.max_area:
            raise ValueError(
                f"{self.variant} cannot be served: its default resolution is {self.resolution}, and the parameter "
                f"max_area allows {self.max_area:,} pixels only: export it again"
            )


@dataclass(frozen=True)
class ResolvedOptions:
    """The options of one request, all resolved.

    Attributes:
        settings: those of the filter and the equalisation that were chosen, by name.
        others: as in the table above.
    """

    resolution: int
    aspect: Aspect
    output_size: OutputSize = "photo"
    format: Format = "float32"
    colormap: Colormap = "inferno"
    filter: Filter = "none"
    equalize: Equalize = "none"
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def needs_guide(self) -> bool:
        """Whether the last step must see the photo."""
        return self.filter in GUIDED_FILTERS

    def as_json(self) -> dict[str, Any]:
        """What INFO reports: one entry an option."""
        values = dict(vars(self))
        settings: Mapping[str, float] = values.pop("settings")
        return {**values, **settings}


def resolve(parameters: Mapping[str, object], rules: VariantRules) -> ResolvedOptions:
    """Check the parameters of a request and fill in the defaults of the variant.

    Args:
        parameters: as Triton hands them on: int, float, bool or str by name.
        rules: the variant that the request is for.

    Raises:
        InvalidRequest: a name is unknown, a value is not allowed, or two do not go together; the text lists what is.
    """
    for name in parameters:
        if name not in NAMES:
            raise InvalidRequest(f"unknown option {_shown(name)}: the options are {', '.join(NAMES)}")
    chosen: dict[str, Any] = {name: _choice(parameters, name) for name in CHOICES}
    if "aspect" not in parameters:
        chosen["aspect"] = rules.aspect
    if not rules.any_aspect:
        if parameters.get("aspect") == "keep":
            raise InvalidRequest(
                f"option aspect=keep: {rules.variant} takes only squares, use aspect=square or leave it out"
            )
        chosen["aspect"] = "square"
    for name, formats in NEEDS_FORMAT.items():
        asked = name in parameters if name == "colormap" else chosen[name] != "none"
        if asked and chosen["format"] not in formats:
            raise InvalidRequest(
                f"option {name}={chosen[name]} does not go with format={chosen['format']}: use it with format="
                f"{' or '.join(formats)}, or leave it out"
            )
    return ResolvedOptions(resolution=_resolution(parameters, rules), settings=_settings(parameters, chosen), **chosen)


def sizes(
    width: int, height: int, options: ResolvedOptions, rules: VariantRules
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The network's and the result's size, each (width, height), for a photo of `width` x `height`.

    Raises:
        InvalidRequest: the network's input or the result would be larger than allowed.
    """
    match options.aspect:
        case "square":
            rule: ResizeRule = "square"
        case "keep":
            rule = rules.resize
        case _:
            assert_never(options.aspect)
    network = network_size(width, height, options.resolution, rule, rules.multiple)
    if network[0] * network[1] > rules.max_area:
        raise InvalidRequest(
            f"resolution={options.resolution} turns this {width}x{height} photo into {network[0]}x{network[1]} = "
            f"{network[0] * network[1]:,} pixels; {rules.variant} takes at most {rules.max_area:,}: "
            "use a smaller resolution, or aspect=square"
        )
    if rules.max_side is not None and max(network) > rules.max_side:
        raise InvalidRequest(
            f"resolution={options.resolution} turns this {width}x{height} photo into {network[0]}x{network[1]}; "
            f"{rules.variant} takes sides up to {rules.max_side} here: use a smaller resolution, or aspect=square"
        )
    match options.output_size:
        case "photo":
            output = (width, height)
        case "network":
            output = network
        case _:
            assert_never(options.output_size)
    if options.format in FLOAT_FORMATS and output[0] * output[1] > MAX_FLOAT_PIXELS:
        raise InvalidRequest(
            f"a {options.format} map of {output[0]}x{output[1]} has more than {MAX_FLOAT_PIXELS:,} pixels: "
            "use format=png16, or output_size=network"
        )
    if options.needs_guide and output[0] * output[1] > MAX_GUIDED_PIXELS:
        *others, last = (name for name in CHOICES["filter"] if name not in GUIDED_FILTERS)
        raise InvalidRequest(
            f"filter={options.filter} takes results of at most {MAX_GUIDED_PIXELS:,} pixels, not {output[0]}x"
            f"{output[1]}: use filter={', '.join(others)} or {last}, or output_size=network, or send a smaller photo"
        )
    return network, output


def _choice(parameters: Mapping[str, object], name: str) -> str:
    allowed = CHOICES[name]
    value = parameters.get(name, allowed[0])
    # Compared as text, and a bool or a number is none.
    if not isinstance(value, str) or value not in allowed:
        raise InvalidRequest(f"option {name}={_shown(value)}: allowed are {', '.join(allowed)}")
    return value


def _settings(parameters: Mapping[str, object], chosen: Mapping[str, str]) -> dict[str, float]:
    """The settings that go with the choices, given or by default. Raises InvalidRequest."""
    resolved: dict[str, float] = {}
    for name, setting in SETTINGS.items():
        if chosen[setting.option] == setting.value:
            resolved[name] = _number(name, parameters.get(name, setting.default), setting)
        elif name in parameters:
            raise InvalidRequest(
                f"option {name} goes with {setting.option}={setting.value}, not with {setting.option}="
                f"{chosen[setting.option]}: leave it out, or choose that"
            )
    return resolved


def _number(name: str, value: object, setting: Setting) -> float:
    kinds = int if setting.whole else (int, float)
    # bool is an int to Python, not to a caller; a NaN is in no range
    fits = isinstance(value, kinds) and not isinstance(value, bool) and setting.low <= value <= setting.high
    if not fits or (setting.whole and (value - setting.low) % setting.step):  # type: ignore[operator]
        what = "integers" if setting.whole else "numbers"
        steps = f" in steps of {setting.step}" if setting.step > 1 else ""
        raise InvalidRequest(
            f"option {name}={_shown(value)}: allowed are {what} from {setting.low:.7g} to {setting.high:.7g}{steps}; "
            f"the default is {setting.default:.7g}"
        )
    return value  # type: ignore[return-value]


def _shown(value: object) -> str:
    """A caller's value as an error message repeats it: not at any length."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _resolution(parameters: Mapping[str, object], rules: VariantRules) -> int:
    value = parameters.get("resolution", rules.resolution)
    # bool is an int to Python, not to a caller
    if isinstance(value, int) and not isinstance(value, bool) and value in rules.resolutions:
        return value
    if rules.fixed:
        raise InvalidRequest(
            f"option resolution={_shown(value)}: {rules.variant} takes only {rules.resolution}x{rules.resolution}, "
            "leave the option out"
        )
    raise InvalidRequest(
        f"option resolution={_shown(value)}: allowed are {_shown_range(rules.resolutions)}; "
        f"the default of {rules.variant} is {rules.resolution}"
    )


def _shown_range(allowed: range) -> str:
    return f"integers from {allowed[0]} to {allowed[-1]} in steps of {allowed.step}"
