"""The tables that cross the contract, in plain Python. A decimal is two words, so a list of n has 2n entries.

In a component the host's own classes stand in for `Frame`, `Counted` and `Totals`: they have the same fields.
"""

from dataclasses import dataclass, field


@dataclass
class Column:
    """A named column: `ids` of strings for a text, or `words` of decimals for a number."""

    name: str
    ids: list = field(default_factory=list)
    words: list = field(default_factory=list)


@dataclass
class Frame:
    """A batch of events as columns."""

    rows: int
    strings: list
    times: list
    texts: list
    numbers: list


@dataclass
class Metered:
    """The units that each event is worth. Faults are pairs of an event's row and a sentence."""

    counts: list = field(default_factory=list)
    units: list = field(default_factory=list)
    keys: list = field(default_factory=list)
    quantities: list = field(default_factory=list)
    strings: list = field(default_factory=list)
    faults: list = field(default_factory=list)


@dataclass
class Counted:
    """The usage rows with the host's counters around each."""

    counts: list
    units: list
    quantities: list
    before: list
    after: list


@dataclass
class Rated:
    """What each event costs. Refusals are an event's row, a code's position and a detail."""

    counts: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    quantities: list = field(default_factory=list)
    unit_prices: list = field(default_factory=list)
    amounts: list = field(default_factory=list)
    refusals: list = field(default_factory=list)
    faults: list = field(default_factory=list)


@dataclass
class Totals:
    """The counters of a period that ends."""

    counts: list
    units: list
    groups: list
    totals: list
