"""The one error that a person can mend."""


class InputError(ValueError):
    """Bad input: one line that names the value and the remedy. The command line exits with 2."""
