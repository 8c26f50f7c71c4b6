"""Where a plugin records which units an event is worth."""

from .exact import Decimal, Fault, shortest, show, words_of
from .frames import Metered

QUANTITY_PLACES_MAX = 12
_SCALE = 0xFF << 32
_TWELVE = QUANTITY_PLACES_MAX << 32
_SIGN = 1 << 63


def quantity_words(quantity):
    """The two words of a quantity in a form that the contract allows: not negative, and no more than twelve places."""
    words = words_of(quantity)
    # A sign stands above the scale.
    if words[1] <= _TWELVE:
        return words
    high = words[1]
    if high & _SIGN:
        raise Fault(f"the quantity {show(Decimal(quantity))} is negative")
    if high & _SCALE > _TWELVE:
        words = words_of(shortest(quantity))
        if words[1] & _SCALE > _TWELVE:
            raise Fault(f"the quantity {show(shortest(quantity))} has more than twelve digits after the point")
    return words


class Usage:
    """The units of the event at hand; a row for each call of `add`."""

    __slots__ = ("_units", "_keys", "_quantities", "_strings", "_added", "_known")

    def __init__(self, frame):
        self._units, self._keys, self._quantities = [], [], []
        self._strings, self._added, self._known = frame.strings, [], None

    def add(self, unit, quantity):
        """Adds a quantity of a unit whose aggregation is "sum", or offers one that is the largest so far of a unit
        whose aggregation is "max". Nothing is recorded for zero."""
        if unit.aggregation == "distinct":
            raise Fault("the plugin adds to a `distinct` unit without a key; use add_distinct")
        words = quantity_words(quantity)
        if quantity:
            self._quantities += words
            self._units.append(unit.position)
            self._keys.append(0)

    def add_distinct(self, unit, key):
        """Counts one for a key that is seen for the first time in the period, and nothing for one seen before."""
        if unit.aggregation != "distinct":
            raise Fault("the plugin adds a key to a unit that is not `distinct`; use add")
        if not key:
            raise Fault("the key of a `distinct` unit is empty")
        if self._known is None:
            self._known = {text: position for position, text in enumerate(self._strings)}
        position = self._known.get(key)
        if position is None:
            position = self._known[key] = len(self._known)
            self._added.append(key)
        self._units.append(unit.position)
        self._keys.append(position)
        self._quantities += (1, 0)

    def _drop_from(self, row):
        """Forgets this row and those after it."""
        del self._units[row:], self._keys[row:], self._quantities[2 * row:]

    def _answer(self, counts, faults):
        return Metered(counts, self._units, self._keys, self._quantities, self._added, faults)
