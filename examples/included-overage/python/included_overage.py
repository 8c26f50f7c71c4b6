"""`included-overage` in Python: so many units a period cost nothing, each one beyond costs the same.

A unit is an event, or whatever one of the event's measures counts. An event that straddles the limit is split exactly.
Events of a premium route or feature cost something more, inside the included quantity or beyond it.
"""

from typing import Annotated

from tollgate_sdk import ONE, ZERO, Decimal, Line, PeriodLines, PeriodTerms, Plugin, Settings, Unit


class Terms(Settings):
    """What a tariff sets."""

    unit: Annotated[str, 'What the customer sees, in the singular: "document".'] = "request"
    count: Annotated[str, '"events", or the name of the measure whose quantities are counted.'] = "events"
    included: Annotated[Decimal, "How many units of a period cost nothing."] = ZERO
    overage_price: Annotated[Decimal, "The price of each unit beyond the included ones."]
    premium_routes: Annotated[list[str], "Routes whose events cost `premium_surcharge` in addition."] = []
    premium_features: Annotated[list[str], "Features whose events do."] = []
    premium_surcharge: Annotated[Decimal, "What an event of a premium route or feature costs in addition, once."] = ZERO
    period: Annotated[PeriodTerms, "The period's fee, minimum and cap."] = PeriodTerms()


class IncludedOverage(Plugin):
    """Includes a number of units a period and charges each one beyond them."""

    name, version, settings = "included-overage-python", "0.1.0", Terms

    UNIT = Unit("/unit")
    # Only named, so that premium requests and fees are not called documents; their lines say how many.
    PREMIUM_REQUEST = Unit("premium request")
    PERIOD = Unit("period")

    INCLUDED = Line("included", "Within what is included", unit=UNIT)
    OVERAGE = Line("overage", "Beyond what is included", unit=UNIT)
    PREMIUM = Line("premium", "Premium requests", unit=PREMIUM_REQUEST)
    FEE = Line("fee", "Fee for the period", unit=PERIOD)
    MINIMUM = Line("minimum", "Up to the minimum", unit=PERIOD)
    CAP = Line("cap", "Beyond the spend cap", unit=PERIOD, kind="credit")

    def check(self, settings, problems):
        if not settings.unit:
            problems.add("/unit", 'the unit has no name; write what the customer sees, such as "request"')
        if not settings.count:
            problems.add("/count", 'write "events", or the name of the measure to count')
        problems.refuse_negative("/included", settings.included)
        problems.refuse_negative("/overage_price", settings.overage_price)
        problems.refuse_negative("/premium_surcharge", settings.premium_surcharge)
        settings.period.check("/period", problems)

    def meter(self, settings, event, usage):
        usage.add(self.UNIT, ONE if settings.count == "events" else event.measure(settings.count))

    def rate(self, settings, event, counted, bill):
        count = counted.of(self.UNIT)
        if count:
            included, price = settings.included, settings.overage_price
            within = min(count.after, included) - min(count.before, included)
            if within:
                bill.add(self.INCLUDED, within, amount=ZERO)
            beyond = count.grown() - within
            if beyond:
                amount = count.cumulative(lambda total: max(total - included, ZERO) * price)
                bill.add(self.OVERAGE, beyond, unit_price=price, amount=amount)
        if event.route in settings.premium_routes or event.feature in settings.premium_features:
            price = settings.premium_surcharge
            bill.add(self.PREMIUM, ONE, unit_price=price, amount=price)

    def close(self, settings, customer, totals, bill):
        settings.period.close(PeriodLines(self.FEE, self.MINIMUM, self.CAP), customer.charged, bill)
