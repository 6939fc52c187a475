"""What can go wrong in training, told in one message."""


class TrainingError(Exception):
    """The text says what was wrong, what is allowed and what to do."""
