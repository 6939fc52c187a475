"""The command `midas-client`: a file a command.

A command has two functions: one adds its arguments to a parser, the other runs it and gives the exit code. Results go
to standard output, everything else to standard error.
"""

from midas_client._cli.main import main

__all__ = ["main"]
