"""What ends a run, or keeps it from starting."""


class BulkError(RuntimeError):
    """Why something has no result, and what to do: raised, of the run; handed on as a value, of one photo."""


class WrongUse(BulkError):  # noqa: N818 - the exit code's name
    """The command line asks for what does not exist or does not go together."""
