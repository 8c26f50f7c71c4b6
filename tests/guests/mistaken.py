"""A plugin that makes one mistake, whichever its settings name: for the messages that authors get."""

import datetime
import time

from tollgate_sdk import Decimal, Line, Plugin, Settings, Unit

# Declared outside of the plugin's class, so that nobody knows of it.
PAGE = Unit("page")


class Terms(Settings):
    price: Decimal
    mistake: str


class Mistaken(Plugin):
    """Makes one mistake."""

    name, version, settings = "mistaken-python", "0.1.0", Terms

    DOCUMENT = Unit("document")
    DOCUMENTS = Line("documents", "Documents", unit=DOCUMENT)
    seen = 0

    def meter(self, settings, event, usage):
        usage.add(PAGE if settings.mistake == "unit" else self.DOCUMENT, event.measure("documents"))

    def rate(self, settings, event, counted, bill):
        documents = counted.of(self.DOCUMENT)
        if documents:
            amount = getattr(self, settings.mistake, lambda price: price)(settings.price)
            bill.add(self.DOCUMENTS, documents.grown(), amount=amount)

    def float(self, price):
        return 0.25

    def float_times(self, price):
        return price * 1.5

    def raised(self, price):
        raise KeyError("no price for so many documents")

    def file(self, price):
        with open("prices.csv") as prices:
            return Decimal(prices.read())

    def clock(self, price):
        return Decimal(datetime.datetime.now().day) + Decimal(int(time.time()) % 7)

    def state(self, price):
        self.seen += 1
        return price * self.seen
