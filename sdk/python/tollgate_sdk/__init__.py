"""Write a Tollgate pricing plugin in Python.

A plugin is a class of settings and a class of prices, which sees one event at a time: `meter` says which units the
event is worth, the host counts them, and `rate` says what the event costs, given the counters around it. Everything
else (batches, columns, string tables, the WebAssembly component) is the SDK's.

>>> class Settings(Settings):
...     price: Decimal
...     included: Decimal = Decimal(0)
>>> class PerDocument(Plugin):
...     "Charges each document beyond the included ones."
...     name, version, settings = "per-document", "0.1.0", Settings
...     DOCUMENT = Unit("document")
...     OVERAGE = Line("overage", "Documents beyond those included", unit=DOCUMENT)
...     def meter(self, settings, event, usage):
...         usage.add(self.DOCUMENT, event.measure("documents"))
...     def rate(self, settings, event, counted, bill):
...         documents = counted.of(self.DOCUMENT)
...         if documents:
...             beyond = documents.cumulative(lambda total: max(total - settings.included, ZERO))
...             bill.add(self.OVERAGE, beyond, unit_price=settings.price, amount=beyond * settings.price)
>>> bench = TestBench(PerDocument, {"price": "0.50", "included": "10"})
>>> print(bench.event(TestEvent(documents="12")))
overage: 2 at 0.50 = 1.00
"""

from decimal import Decimal

from . import log
from .bill import Bill
from .closing import Closing, Totals
from .counted import Count, Counted, cumulative
from .declaration import Line, Refusal, Unit
from .event import Event
from .exact import ONE, ZERO, Fault, divided_rounded, rounded
from .period import PeriodLines, PeriodTerms
from .plugin import Plugin, Problems
from .settings import Settings
from .testing import Priced, TestBench, TestEvent
from .usage import Usage

__all__ = [
    "Bill", "Closing", "Count", "Counted", "Decimal", "Event", "Fault", "Line", "ONE", "PeriodLines", "PeriodTerms",
    "Plugin", "Priced", "Problems", "Refusal", "Settings", "TestBench", "TestEvent", "Totals", "Unit", "Usage",
    "ZERO", "cumulative", "divided_rounded", "log", "rounded",
]
