"""Where a plugin writes what an event costs."""

from .exact import ZERO, words_of
from .frames import Rated
from .usage import quantity_words

_NOTHING = (0, 0)


class Bill:
    """The lines and refusals of the event at hand."""

    __slots__ = ("_event", "_lines", "_quantities", "_unit_prices", "_amounts", "_refusals")

    def __init__(self):
        self._event, self._lines, self._quantities, self._unit_prices, self._amounts = 0, [], [], [], []
        self._refusals = []

    def add(self, line, quantity, *, amount, unit_price=ZERO):
        """Adds a line: how many of its unit, what is charged for them in units of the currency, and the price of one
        where there is a single one (shown, never computed with). The host rounds the amount to nine places."""
        quantity = quantity_words(quantity)
        unit_price = _NOTHING if unit_price is ZERO else words_of(unit_price)
        self._amounts += _NOTHING if amount is ZERO else words_of(amount)
        self._quantities += quantity
        self._unit_prices += unit_price
        self._lines.append(line.position)

    def refuse(self, refusal, detail=""):
        """Says that the event should not run. It matters when an event is quoted or authorised in advance; one that
        happened all the same is charged its lines. The detail is what the customer reads beside the title."""
        self._refusals.append((self._event, refusal.position, detail))

    def _drop_from(self, row):
        """Forgets this row and those after it, and what was refused of the event."""
        del self._lines[row:]
        for column in (self._quantities, self._unit_prices, self._amounts):
            del column[2 * row:]
        self._refusals = [refusal for refusal in self._refusals if refusal[0] != self._event]

    def _answer(self, counts, faults):
        return Rated(
            counts, self._lines, self._quantities, self._unit_prices, self._amounts, self._refusals, faults
        )
