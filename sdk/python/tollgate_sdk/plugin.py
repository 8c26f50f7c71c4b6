"""The class that an author writes, and a plugin's functions over whole batches."""

import json
from decimal import localcontext

from .bill import Bill
from .closing import Closing, Totals
from .counted import Counted
from .declaration import Line, Refusal, Unit, declared
from .event import Columns, Event
from .exact import EXACT, FAULTS, reason, show
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
            meter, units, counts, faults, start = self.plugin.meter, usage._units, [], [], 0
            for row in range(frame.rows):
                event._row = row
                try:
                    meter(settings, event, usage)
                except FAULTS as fault:
                    faults.append((row, reason(fault)))
                    usage._drop_from(start)
                end = len(units)
                counts.append(end - start)
                start = end
            return usage._answer(counts, faults)

    def rate(self, settings, frame, counted):
        """What each event of the frame costs."""
        return self._billed(settings, Event(Columns(frame)), Counted(counted), counted.counts, self.plugin.rate)

    def close(self, settings, frame, totals):
        """What each customer of the closing frame is charged as the period ends."""
        totals_of_one = Totals(totals, frame.strings)
        return self._billed(settings, Closing(Columns(frame)), totals_of_one, totals.counts, self.plugin.close)

    def _billed(self, settings, subject, table, table_counts, price):
        """What `price` charges for each row of a frame, given its part of a table of counters."""
        with localcontext(EXACT):
            settings, bill = self._settings(settings), Bill()
            lines, counts, faults, start = bill._lines, [], [], 0
            for row, count in enumerate(table_counts):
                subject._row = bill._event = row
                table._start = table._end
                table._end += count
                try:
                    price(settings, subject, table, bill)
                except FAULTS as fault:
                    faults.append((row, reason(fault)))
                    bill._drop_from(start)
                end = len(lines)
                counts.append(end - start)
                start = end
            return bill._answer(counts, faults)
