"""Lines for the plugin's author. They appear in the host's log and never influence a price."""

import sys


def _to_standard_error(level, message):
    print(f"{level}: {message}", file=sys.stderr)


# In a component this is the contract's `log`.
_write = _to_standard_error


def debug(message):
    """Writes a line of use while writing the plugin."""
    _write("debug", message)


def info(message):
    """Writes a line of use to know."""
    _write("info", message)


def warn(message):
    """Writes a line about something that looks wrong."""
    _write("warn", message)


def error(message):
    """Writes a line about something that is wrong."""
    _write("error", message)
