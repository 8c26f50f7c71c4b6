"""`{{name}}`: each document beyond the included ones has a price."""

from typing import Annotated

from tollgate_sdk import ZERO, Decimal, Line, Plugin, Settings, Unit


class Terms(Settings):
    """What a tariff sets."""

    price: Annotated[Decimal, "The price of one document."]
    included: Annotated[Decimal, "How many documents of a period cost nothing."] = ZERO


class {{Type}}(Plugin):
    """{{summary}}"""

    name, version, settings = "{{name}}", "0.1.0", Terms

    DOCUMENT = Unit("document")
    DOCUMENTS = Line("documents", "Documents beyond those included", unit=DOCUMENT)

    def check(self, settings, problems):
        problems.refuse_negative("/price", settings.price)
        problems.refuse_negative("/included", settings.included)

    def meter(self, settings, event, usage):
        """Which units an event is worth. The host counts them for each customer and period."""
        usage.add(self.DOCUMENT, event.measure("documents"))

    def rate(self, settings, event, counted, bill):
        """What an event costs, given the counter before and after it."""
        documents = counted.of(self.DOCUMENT)
        if not documents:
            return
        quantity = documents.cumulative(lambda total: max(total - settings.included, ZERO))
        if quantity:
            amount = documents.cumulative(lambda total: max(total - settings.included, ZERO) * settings.price)
            bill.add(self.DOCUMENTS, quantity, unit_price=settings.price, amount=amount)
