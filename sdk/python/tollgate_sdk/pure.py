"""Keeps a plugin pure where Python would ask the system: each question is refused with a sentence, instead of a trap.

While the component is built, modules may still be imported and files read: what they hold is then part of it.
"""

import builtins
import datetime
import io
import os
import time

_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep")
_sealed = False


def _refuse(what):
    raise RuntimeError(
        f"a plugin cannot use {what}: it has no files, network, clock or randomness while it prices. What an event "
        "costs comes from the event (as event.time), the settings and the counters"
    )


def _guarded(what, function):
    def guarded(*arguments, **options):
        return _refuse(what) if _sealed else function(*arguments, **options)

    return guarded


class _Datetime(datetime.datetime):
    """A datetime that does not know what time it is."""

    now = classmethod(lambda *_: _refuse("datetime.now()"))
    utcnow = classmethod(lambda *_: _refuse("datetime.utcnow()"))
    today = classmethod(lambda *_: _refuse("datetime.today()"))


def guard():
    """Puts the guards in place, before the author's modules take what they replace."""
    builtins.open = io.open = _guarded("open()", builtins.open)
    os.open = _guarded("os.open()", os.open)
    os.urandom = _guarded("os.urandom()", os.urandom)
    datetime.datetime = _Datetime
    for name in _CLOCKS:
        setattr(time, name, _guarded(f"time.{name}()", getattr(time, name)))


def seal():
    """From now on the guards refuse: the component is built, and what comes is pricing."""
    global _sealed
    _sealed = True
