"""The errors that a caller can cause, and the one that a network can."""


class InvalidRequest(ValueError):  # noqa: N818  (named after the status that it becomes)
    """The photo or an option of a request is not acceptable; the caller gets the text with status 400.

    The text says what was wrong, what is allowed and, where it is not obvious, what to do.
    """


class OptionRefused(InvalidRequest):
    """One option is at fault. The text begins with `option` and its name, by which the client SDK tells programs which.

    Args:
        option: its name.
        words: what follows the name.
    """

    def __init__(self, option: str, words: str) -> None:
        super().__init__(f"option {option}{words}")


class DamagedHeader(InvalidRequest):
    """What stands before a photo's pixels cannot be made out.

    Args:
        what: what was found there, as part of a sentence.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"the photo ends early or its header is damaged ({what}): send an intact file")


class NetworkFault(RuntimeError):  # noqa: N818  (as above)
    """What a network gave cannot be used: its fault, not the request's; the caller gets the text with status 500.

    The text names the network and says what to try.
    """
