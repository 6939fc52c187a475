"""The error that a caller can cause, and the one that a network can."""


class InvalidRequest(ValueError):  # noqa: N818  (named after the status that it becomes)
    """The photo or an option of a request is not acceptable; the caller gets the text with status 400.

    The text says what was wrong, what is allowed and, where it is not obvious, what to do.
    """


class NetworkFault(RuntimeError):  # noqa: N818  (as above)
    """What a network gave cannot be used: its fault, not the request's; the caller gets the text with status 500.

    The text names the network and says what to try.
    """
