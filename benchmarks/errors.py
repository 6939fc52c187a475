"""The errors of the benchmarks."""


class BenchmarkError(Exception):
    """A measurement that could not be made; its text says what was wrong and what to do, in one or two lines."""


class TooShort(BenchmarkError):  # noqa: N818 - said of a measurement
    """No answer came in one of a measurement's windows: it has to last longer."""


class Refused(BenchmarkError):  # noqa: N818 - said of a request
    """The server refused a request under a load that it was meant to bear."""
