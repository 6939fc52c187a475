"""What ends a run, or keeps it from starting."""


class BulkError(RuntimeError):
    """The run cannot start or go on; the text says why and what to do. What failed for one photo is no such error."""


class WrongUse(BulkError):  # noqa: N818 - the exit code's name
    """The command line asks for what does not exist or does not go together."""
