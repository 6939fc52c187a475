"""What is refused: each error says what was wrong, what is allowed and what to do."""


class RoomReportError(Exception):
    """Root of all errors of this package."""


class BadReferenceError(RoomReportError):
    """A reference (door, distance, length, height) cannot be right."""


class FocalLengthError(RoomReportError):
    """The focal length cannot be taken from where it was asked for."""


class ScaleError(RoomReportError):
    """The references do not say how the map becomes metres."""


class NoFloorError(RoomReportError):
    """The photo shows no floor, without which there is no room to measure."""


class CatalogueError(RoomReportError):
    """A row of the catalogue is not a piece of furniture."""


class DepthFileError(RoomReportError):
    """A file of distances cannot be used."""


class RegionError(RoomReportError):
    """A file of boxes and masks, or a detector's answer, cannot be used."""


class PaperError(RoomReportError):
    """The page cannot be printed here."""


class CommandError(RoomReportError):
    """What the command line asks for does not go together."""
