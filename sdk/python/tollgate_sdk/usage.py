"""Where a plugin records which units an event is worth."""

from .exact import Fault, add_words, reason, shortest, show, ZERO
from .frames import Metered

QUANTITY_PLACES_MAX = 12
_SCALE = 0xFF << 32
_TWELVE = QUANTITY_PLACES_MAX << 32
_SIGN = 1 << 63


def add_quantity(words, quantity):
    """Appends a quantity in a form that the contract allows: not negative, and no more than twelve places."""
    end = len(words)
    add_words(words, quantity)
    high = words[-1]
    if high & _SIGN or high & _SCALE > _TWELVE:
        del words[end:]
        if quantity < 0:
            raise Fault(f"the quantity {show(quantity)} is negative")
        add_words(words, shortest(quantity))
        if words[-1] & _SCALE > _TWELVE:
            del words[end:]
            raise Fault(f"the quantity {show(shortest(quantity))} has more than twelve digits after the point")


class Usage:
    """The units of the event at hand; a row for each call of `add`."""

    __slots__ = ("_metered", "_strings", "_known", "_row")

    def __init__(self, frame):
        self._metered, self._strings, self._known, self._row = Metered(), frame.strings, None, 0

    def add(self, unit, quantity):
        """Adds a quantity of a unit whose aggregation is "sum", or offers one that is the largest so far of a unit
        whose aggregation is "max". Nothing is recorded for zero."""
        if unit.aggregation == "distinct":
            raise Fault("the plugin adds to a `distinct` unit without a key; use add_distinct")
        if quantity == ZERO:
            return
        metered = self._metered
        add_quantity(metered.quantities, quantity)
        metered.units.append(unit.position)
        metered.keys.append(0)

    def add_distinct(self, unit, key):
        """Counts one for a key that is seen for the first time in the period, and nothing for one seen before."""
        if unit.aggregation != "distinct":
            raise Fault("the plugin adds a key to a unit that is not `distinct`; use add")
        if not key:
            raise Fault("the key of a `distinct` unit is empty")
        metered = self._metered
        if self._known is None:
            self._known = {text: position for position, text in enumerate(self._strings)}
        position = self._known.get(key)
        if position is None:
            position = self._known[key] = len(self._known)
            metered.strings.append(key)
        metered.units.append(unit.position)
        metered.keys.append(position)
        metered.quantities += (1, 0)

    def _end_event(self, row, error=None):
        metered = self._metered
        if error is not None:
            del metered.units[self._row:], metered.keys[self._row:], metered.quantities[2 * self._row:]
            metered.faults.append((row, reason(error)))
        rows = len(metered.units)
        metered.counts.append(rows - self._row)
        self._row = rows
