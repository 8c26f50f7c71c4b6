"""Prices events natively, as the host would: for a plugin's own tests.

    bench = TestBench(IncludedOverage, {"overage_price": "0.02"})
    assert str(bench.event(TestEvent(route="premium"))) == "overage: 1 at 0.02 = 0.02"

Run them with plain `pytest`, or `python -m unittest`.
"""

import json
from decimal import Decimal, localcontext

from .exact import EXACT, ZERO, Fault, from_words, parse, show, words_of
from .frames import Column, Counted, Frame, Totals
from .plugin import Batches

_TEXTS = ("customer", "parent", "feature", "route", "model", "provider")


class TestEvent:
    """An event for a test. Measures are its other arguments, as texts: `TestEvent(route="premium", pages="1.5")`."""

    __test__ = False  # a name that pytest would otherwise take for a test's

    def __init__(self, *, customer="customer", parent="", feature="", route="", model="", provider="", attributes=None,
                 time=0, network_cost="0", measures=None, **more_measures):
        self.texts = {"customer": customer, "parent": parent, "feature": feature, "route": route, "model": model,
                      "provider": provider}
        self.texts.update({f"attribute:{name}": text for name, text in (attributes or {}).items()})
        self.numbers = {"network-cost": network_cost}
        self.numbers.update({f"measure:{name}": text for name, text in {**(measures or {}), **more_measures}.items()})
        self.time = time


class Priced:
    """What an event cost; as a text, one line of it a line: `overage: 2 at 0.50 = 1.00`."""

    def __init__(self, lines, refusals):
        self.lines, self.refusals = lines, refusals

    def __str__(self):
        shown = []
        for code, quantity, unit_price, amount in self.lines:
            price = f" at {show(unit_price)}" if unit_price else ""
            shown.append(f"{code}: {show(quantity)}{price} = {show(amount)}")
        shown += [f"refused: {code}" + (f" ({detail})" if detail else "") for code, detail in self.refusals]
        return "\n".join(shown) or "nothing"

    def __eq__(self, other):
        return (self.lines, self.refusals) == (other.lines, other.refusals)


class TestBench:
    """A plugin with settings, and the counters of its customers."""

    __test__ = False

    def __init__(self, plugin, settings):
        self._batches, self._plugin = Batches(plugin), plugin
        self._settings = json.dumps(settings)
        self._counters, self._seen, self._charged = {}, set(), {}
        problems = self.problems()
        if problems:
            raise ValueError("; ".join(f"{pointer}: {message}" for pointer, message in problems))

    def problems(self):
        """What is wrong with the settings."""
        return self._batches.check(self._settings)

    def event(self, event):
        """Prices one event. A fault is raised."""
        return self.batch([event])[0]

    def batch(self, events):
        """Prices events in one batch. The first fault is raised."""
        frame = _frame(events)
        metered = self._batches.meter(self._settings, frame)
        _raise(metered.faults)
        rated = self._batches.rate(self._settings, frame, self._count(events, frame, metered))
        _raise(rated.faults)
        priced = self._priced(rated)
        for event, answer in zip(events, priced):
            self._charge(event.texts["customer"], answer)
        return priced

    def close(self, customer="customer"):
        """Ends the customer's period, and begins a new one."""
        charged = self._charged.pop(customer, {})
        event = TestEvent(customer=customer)
        with localcontext(EXACT):
            event.numbers["charged"] = show(sum(charged.values(), ZERO))
        event.numbers.update({f"charged:{code}": show(amount) for code, amount in charged.items()})
        frame = _frame([event])
        totals = Totals([0], [], [], [])
        for key in [key for key in self._counters if key[1] == customer]:
            total = self._counters.pop(key)
            totals.counts[0] += 1
            totals.units.append(key[0])
            totals.groups.append(_id(frame.strings, ", ".join(key[2])))
            totals.totals += words_of(total)
        rated = self._batches.close(self._settings, frame, totals)
        _raise(rated.faults)
        return self._priced(rated)[0]

    def _count(self, events, frame, metered):
        """What the host's own counters would say."""
        counted = Counted(metered.counts, metered.units, metered.quantities, [], [])
        strings, row = frame.strings + metered.strings, 0
        for event, count in zip(events, metered.counts):
            for row in range(row, row + count):
                unit = self._plugin.units[metered.units[row]]
                owner = event.texts["parent"] or event.texts["customer"] if unit.pooled else event.texts["customer"]
                key = (unit.position, owner, tuple(event.texts.get(name, "") for name in unit.group_by))
                before = after = self._counters.get(key, ZERO)
                quantity = from_words(*metered.quantities[2 * row:2 * row + 2])
                if unit.aggregation == "max":
                    after = max(before, quantity)
                elif unit.aggregation == "sum" or (key, strings[metered.keys[row]]) not in self._seen:
                    with localcontext(EXACT):
                        after = before + quantity
                self._seen.add((key, strings[metered.keys[row]]))
                self._counters[key] = after
                counted.before += words_of(before)
                counted.after += words_of(after)
            row += bool(count)
        return counted

    def _priced(self, rated):
        priced, row = [], 0
        for event, count in enumerate(rated.counts):
            lines = []
            for row in range(row, row + count):
                decimals = (from_words(*words[2 * row:2 * row + 2])
                            for words in (rated.quantities, rated.unit_prices, rated.amounts))
                lines.append((self._plugin.lines[rated.lines[row]].code, *decimals))
            row += bool(count)
            refusals = [(self._plugin.refusals[code].code, detail)
                        for refused, code, detail in rated.refusals if refused == event]
            priced.append(Priced(lines, refusals))
        return priced

    def _charge(self, customer, priced):
        charged = self._charged.setdefault(customer, {})
        with localcontext(EXACT):
            for code, _, _, amount in priced.lines:
                charged[code] = charged.get(code, ZERO) + amount


def _frame(events):
    frame = Frame(len(events), [""], [event.time for event in events], [], [])
    for name in dict.fromkeys(name for event in events for name in event.texts):
        ids = [_id(frame.strings, event.texts.get(name, "")) for event in events]
        frame.texts.append(Column(name, ids=ids))
    for name in dict.fromkeys(name for event in events for name in event.numbers):
        column = Column(name)
        for event in events:
            value = event.numbers.get(name, "0")
            column.words += words_of(value if isinstance(value, Decimal) else parse(str(value)))
        frame.numbers.append(column)
    return frame


def _id(strings, text):
    if text not in strings:
        strings.append(text)
    return strings.index(text)


def _raise(faults):
    if faults:
        raise Fault(faults[0][1])
