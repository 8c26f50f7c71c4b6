"""What a plugin sees of a customer when a period ends."""

from .exact import ZERO, from_words


class Closing:
    """One customer at the end of a period."""

    __slots__ = ("_columns", "_row")

    def __init__(self, columns):
        self._columns, self._row = columns, 0

    @property
    def customer(self):
        """Who pays."""
        return self._columns.text("customer", self._row)

    @property
    def parent(self):
        """The customer's parent; empty without one."""
        return self._columns.text("parent", self._row)

    @property
    def period_end(self):
        """The period's end, in milliseconds since 1970-01-01T00:00:00Z."""
        return self._columns.times[self._row]

    @property
    def network_cost(self):
        """What the period's inference cost the network, in units of the tariff's currency."""
        return self._columns.number("network-cost", self._row)

    @property
    def charged(self):
        """What all lines of the period have charged so far."""
        return self._columns.number("charged", self._row)

    def charged_as(self, line):
        """What the lines of one code have charged so far."""
        return self._columns.number("charged:" + line.code, self._row)


class Totals:
    """The counters of one customer's period."""

    __slots__ = ("_table", "_strings", "_start", "_end")

    def __init__(self, table, strings):
        self._table, self._strings, self._start, self._end = table, strings, 0, 0

    def of(self, unit):
        """The counter of a unit that is not grouped; zero when nothing was counted."""
        return self.groups_of(unit).get("", ZERO)

    def groups_of(self, unit):
        """The counter of each group of a unit, by the group's label."""
        table = self._table
        return {
            self._strings[table.groups[row]]: from_words(table.totals[2 * row], table.totals[2 * row + 1])
            for row in range(self._start, self._end)
            if table.units[row] == unit.position
        }
