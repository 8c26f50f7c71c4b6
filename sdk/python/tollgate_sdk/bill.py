"""Where a plugin writes what an event costs."""

from .exact import ZERO, add_words, reason
from .frames import Rated
from .usage import add_quantity


class Bill:
    """The lines and refusals of the event at hand."""

    __slots__ = ("_rated", "_lines")

    def __init__(self):
        self._rated, self._lines = Rated(), 0

    def add(self, line, quantity, *, amount, unit_price=ZERO):
        """Adds a line: how many of its unit, what is charged for them in units of the currency, and the price of one
        where there is a single one (shown, never computed with). The host rounds the amount to nine places."""
        rated = self._rated
        add_quantity(rated.quantities, quantity)
        add_words(rated.unit_prices, unit_price)
        add_words(rated.amounts, amount)
        rated.lines.append(line.position)

    def refuse(self, refusal, detail=""):
        """Says that the event should not run. It matters when an event is quoted or authorised in advance; one that
        happened all the same is charged its lines. The detail is what the customer reads beside the title."""
        self._rated.refusals.append((len(self._rated.counts), refusal.position, detail))

    def _end_event(self, row, error=None):
        rated, start = self._rated, self._lines
        if error is not None:
            for column in (rated.quantities, rated.unit_prices, rated.amounts):
                del column[2 * start:]
            del rated.lines[start:]
            rated.refusals = [refusal for refusal in rated.refusals if refusal[0] != row]
            rated.faults.append((row, reason(error)))
        self._lines = len(rated.lines)
        rated.counts.append(self._lines - start)
