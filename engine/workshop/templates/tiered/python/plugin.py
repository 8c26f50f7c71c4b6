"""`{{name}}`: the price of a document depends on how many were used in the period."""

from typing import Annotated

from tollgate_sdk import ZERO, Decimal, Line, Plugin, Settings, Unit


class Tier(Settings):
    """A part of the period's documents with a price of its own."""

    up_to: Annotated[Decimal | None, "The last document of the tier; null in the last tier."] = None
    price: Annotated[Decimal, "The price of a document in it."]


class Terms(Settings):
    """What a tariff sets."""

    tiers: Annotated[list[Tier], "The tiers, from the first document up. The last one is open: it has no `up_to`."]

    def cost_of(self, total):
        """What so many documents of a period cost in all."""
        floor = cost = ZERO
        for tier in self.tiers:
            ceiling = total if tier.up_to is None else min(tier.up_to, total)
            cost += max(ceiling - floor, ZERO) * tier.price
            floor = max(floor, ceiling)
        return cost


class {{Type}}(Plugin):
    """{{summary}}"""

    name, version, settings = "{{name}}", "0.1.0", Terms

    DOCUMENT = Unit("document")
    DOCUMENTS = Line("documents", "Documents by tiers", unit=DOCUMENT)

    def check(self, settings, problems):
        if not settings.tiers:
            problems.add("/tiers", 'there is no tier; write at least one, such as {"price": "0.50"}')
        floor, last = ZERO, len(settings.tiers) - 1
        for place, tier in enumerate(settings.tiers):
            problems.refuse_negative(f"/tiers/{place}/price", tier.price)
            end = f"/tiers/{place}/up_to"
            if tier.up_to is None:
                if place < last:
                    problems.add(end, "only the last tier is open; say where this ends")
            elif place == last:
                problems.add(end, f"the last tier ends at {tier.up_to}; leave it open")
            elif tier.up_to <= floor:
                problems.add(end, f"{tier.up_to} is not beyond {floor}, where the tier begins")
            else:
                floor = tier.up_to

    def meter(self, settings, event, usage):
        """Which units an event is worth. The host counts them for each customer and period."""
        usage.add(self.DOCUMENT, event.measure("documents"))

    def rate(self, settings, event, counted, bill):
        """What an event costs: by how much it moved the cost of the period's total."""
        documents = counted.of(self.DOCUMENT)
        if documents:
            bill.add(self.DOCUMENTS, documents.grown(), amount=documents.cumulative(settings.cost_of))
