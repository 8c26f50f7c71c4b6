"""The class that an author writes, and a plugin's functions over whole batches."""

import json
from decimal import localcontext

from .bill import Bill
from .closing import Closing, Totals
from .counted import Counted
from .declaration import Line, Refusal, Unit, declared
from .event import Columns, Event
from .exact import EXACT, FAULTS, show
from .settings import Problem, read, schema
from .usage import Usage


class Problems:
    """What is wrong with a tariff's settings, collected by `check`."""

    def __init__(self):
        self.found = []

    def add(self, pointer, message):
        """Adds a problem: a JSON pointer to the value (`/tiers/2/up_to`), and a sentence that says what is wrong and
        what would be right."""
        self.found.append((pointer, message))

    def refuse_negative(self, pointer, value):
        """Adds a problem if the value is negative."""
        if value < 0:
            self.add(pointer, f"{show(value)} is negative; use zero or more")


class Plugin:
    """A pricing plugin. Its units, lines and refusals are attributes of the class; so are `name`, `version` and
    `settings`, a class of settings. Its first line of documentation says what it charges for.

    Each function is pure: its answer depends on its arguments and on nothing else. An event's price may not depend on
    its neighbours in the batch, only on the counters that come with it. A function that raises `Fault` faults its
    event: the host holds the event and shows the reason.
    """

    name = version = settings = None

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.units, cls.lines, cls.refusals = declared(cls, Unit), declared(cls, Line), declared(cls, Refusal)

    def check(self, settings, problems):
        """What is wrong with the settings beyond what their types can say."""

    def meter(self, settings, event, usage):
        """Which units the event is worth. None is a valid answer."""
        raise NotImplementedError("a plugin says which units an event is worth: def meter(self, settings, event, usage)")

    def rate(self, settings, event, counted, bill):
        """What the event costs, given the counters around it. No line at all means it is free."""
        raise NotImplementedError("a plugin says what an event costs: def rate(self, settings, event, counted, bill)")

    def close(self, settings, customer, totals, bill):
        """What a customer is charged when the period ends: a minimum, a flat fee, a true-up."""


class Batches:
    """A plugin's functions over whole batches: what the component exports, and what tests run natively."""

    def __init__(self, plugin):
        for needed in ("name", "version", "settings", "__doc__"):
            if not getattr(plugin, needed):
                what = "first line of documentation" if needed == "__doc__" else f"`{needed}`"
                raise TypeError(f"{plugin.__name__} has no {what}")
        self.plugin = plugin()
        self.summary = plugin.__doc__.strip().partition("\n")[0]
        self.settings_schema = json.dumps(schema(plugin.settings))
        self._last = (None, None)

    def _settings(self, text):
        # `meter` and `rate` of a batch share theirs, and reading them costs more than pricing a few events.
        if self._last[0] != text:
            self._last = (text, read(self.plugin.settings, text))
        return self._last[1]

    def check(self, settings):
        """What is wrong with these settings, as pairs of pointer and message; empty when nothing is."""
        with localcontext(EXACT):
            try:
                settings = read(self.plugin.settings, settings)
            except Problem as problem:
                return [(problem.pointer, problem.message)]
            problems = Problems()
            self.plugin.check(settings, problems)
            return problems.found

    def meter(self, settings, frame):
        """The units of each event of the frame."""
        with localcontext(EXACT):
            settings, event, usage = self._settings(settings), Event(Columns(frame)), Usage(frame)
            meter, end_event = self.plugin.meter, usage._end_event
            for row in range(frame.rows):
                event._row = row
                try:
                    meter(settings, event, usage)
                    end_event(row)
                except FAULTS as fault:
                    end_event(row, fault)
            return usage._metered

    def rate(self, settings, frame, counted):
        """What each event of the frame costs."""
        with localcontext(EXACT):
            settings, event, bill = self._settings(settings), Event(Columns(frame)), Bill()
            rows, rate, end_event = Counted(counted), self.plugin.rate, bill._end_event
            for row, count in enumerate(counted.counts):
                event._row = row
                rows._start, rows._end = rows._end, rows._end + count
                try:
                    rate(settings, event, rows, bill)
                    end_event(row)
                except FAULTS as fault:
                    end_event(row, fault)
            return bill._rated

    def close(self, settings, frame, totals):
        """What each customer of the closing frame is charged as the period ends."""
        with localcontext(EXACT):
            settings, customer, bill = self._settings(settings), Closing(Columns(frame)), Bill()
            rows = Totals(totals, frame.strings)
            for row, count in enumerate(totals.counts):
                customer._row = row
                rows._start, rows._end = rows._end, rows._end + count
                try:
                    self.plugin.close(settings, customer, rows, bill)
                    bill._end_event(row)
                except FAULTS as fault:
                    bill._end_event(row, fault)
            return bill._rated
