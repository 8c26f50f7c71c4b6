"""What an event counted for, with the host's counters around it."""

from .exact import ZERO, from_column, rounded_to_nano


def cumulative(before, after, formula):
    """What one step of a cumulative formula charges: `formula(after) - formula(before)`, each rounded half to even
    to nine places. Added up over a period this is exactly `formula(total)` rounded, however many steps made it."""
    return ZERO if before == after else rounded_to_nano(formula(after)) - rounded_to_nano(formula(before))


class Count:
    """A counter around one event: what the customer had used in the period `before` it, and has used `after` it."""

    __slots__ = ("before", "after")

    def __init__(self, before, after):
        self.before, self.after = before, after

    def grown(self):
        """By how much the event moved the counter."""
        return self.after - self.before

    def cumulative(self, formula):
        """This event's share of a cumulative formula; see `cumulative`."""
        return cumulative(self.before, self.after, formula)


class Counted:
    """The usage rows of the event at hand."""

    __slots__ = ("_units", "_before", "_after", "_start", "_end")

    def __init__(self, table):
        self._units, self._start, self._end = table.units, 0, 0
        self._before, self._after = from_column(table.before), from_column(table.after)

    def of(self, unit):
        """The unit's counter just before this event and just after; None when the event is worth none of it."""
        units, position, first, end = self._units, unit.position, self._start, self._end
        while first < end and units[first] != position:
            first += 1
        if first == end:
            return None
        last = end - 1
        while units[last] != position:
            last -= 1
        return Count(self._before[first], self._after[last])
