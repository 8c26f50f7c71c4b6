"""What a tariff says about a period as a whole, whatever else it charges: a fee, a minimum and a cap.

Over a period, a customer is charged `min(cap, max(minimum, fee + usage))`.
"""

from decimal import Decimal
from typing import Annotated, NamedTuple

from .declaration import Line
from .exact import ONE, ZERO, show
from .settings import Settings


class PeriodLines(NamedTuple):
    """The lines that `PeriodTerms.close` adds: two of kind "charge" and, for the cap, one of kind "credit"."""

    fee: Line
    minimum: Line
    cap: Line


class PeriodTerms(Settings):
    """A period's fee, minimum and cap: a field of a plugin's settings, `period` by custom."""

    fee: Annotated[Decimal, "What the period costs before anything is used."] = ZERO
    minimum: Annotated[Decimal, "The least that the period costs in all, the fee included; 0 for none."] = ZERO
    cap: Annotated[Decimal | None, "The most that the period costs in all, the fee included; null for no limit."] = None

    def check(self, pointer, problems):
        """Adds whatever is wrong with them, at `pointer`."""
        problems.refuse_negative(f"{pointer}/fee", self.fee)
        problems.refuse_negative(f"{pointer}/minimum", self.minimum)
        least = max(self.fee, self.minimum)
        if self.cap is not None and self.cap < least:
            problems.add(
                f"{pointer}/cap",
                f"{show(self.cap)} is less than the {show(least)} that a period costs at least; raise the cap",
            )

    def close(self, lines, charged, bill):
        """As the period ends: charges the fee, then what is missing to the minimum, or credits what lies beyond the
        cap. `charged` is what the period has charged so far, the lines that the plugin has just added included."""
        total = charged + self.fee
        # Without a minimum, a period in which more was given back than charged stays below zero.
        missing = self.minimum - total if self.minimum and total < self.minimum else ZERO
        excess = total - self.cap if self.cap is not None and total > self.cap else ZERO
        for line, amount in ((lines.fee, self.fee), (lines.minimum, missing), (lines.cap, -excess)):
            if amount:
                bill.add(line, ONE, amount=amount)
