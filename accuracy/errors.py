"""What can go wrong with data, networks and servers, told in one message."""


class AccuracyError(ValueError):
    """The text says what was wrong, what is allowed and what to do."""


class ServerFailedError(AccuracyError):
    """The server cannot be reached or does not work: the next photo would fare no better."""


class CannotJudgeError(AccuracyError):
    """A photo's truth says nothing about a depth map; the next photo's may."""
