"""The one error that a caller can cause."""


class InvalidRequest(ValueError):  # noqa: N818  (named after the status that it becomes)
    """The photo or an option of a request is not acceptable; the caller gets the text with status 400.

    The text says what was wrong, what is allowed and, where it is not obvious, what to do.
    """
