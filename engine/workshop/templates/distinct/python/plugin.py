"""`{{name}}`: each conversation is charged once, however many events it takes."""

from typing import Annotated

from tollgate_sdk import Decimal, Fault, Line, Plugin, Settings, Unit


class Terms(Settings):
    """What a tariff sets."""

    attribute: Annotated[str, "The attribute of an event that says which conversation it belongs to."] = "conversation"
    price: Annotated[Decimal, "The price of one conversation."]


class {{Type}}(Plugin):
    """{{summary}}"""

    name, version, settings = "{{name}}", "0.1.0", Terms

    CONVERSATION = Unit("conversation", "distinct")
    CONVERSATIONS = Line("conversations", "Conversations", unit=CONVERSATION)

    def check(self, settings, problems):
        if not settings.attribute:
            problems.add("/attribute", "write the name of the attribute that tells conversations apart")
        problems.refuse_negative("/price", settings.price)

    def meter(self, settings, event, usage):
        """Which conversation an event belongs to. The host counts each once for a customer and period."""
        conversation = event.attribute(settings.attribute)
        if not conversation:
            raise Fault(f"the event has no attribute `{settings.attribute}`; send it with each event")
        usage.add_distinct(self.CONVERSATION, conversation)

    def rate(self, settings, event, counted, bill):
        """What an event costs: the price, if it moved the counter."""
        conversations = counted.of(self.CONVERSATION)
        if conversations and conversations.grown():
            amount = conversations.cumulative(lambda total: total * settings.price)
            bill.add(self.CONVERSATIONS, conversations.grown(), unit_price=settings.price, amount=amount)
