"""One event, as the author of a plugin sees it, over the columns of its batch."""

from .exact import ZERO, from_column


class Columns:
    """A frame's columns by name. Those that this SDK does not know are ignored, as the contract demands."""

    __slots__ = ("strings", "times", "_texts", "_numbers", "_rows", "_decimals")

    def __init__(self, frame):
        self.strings, self.times = frame.strings, frame.times
        self._texts = {column.name: column.ids for column in frame.texts}
        self._numbers = {column.name: column.words for column in frame.numbers}
        self._rows, self._decimals = frame.rows, {}

    def ids(self, name):
        """The ids of a text column: of the empty text, where there is none of that name."""
        ids = self._texts.get(name)
        return ids if ids is not None else [0] * self._rows

    def text(self, name, row):
        ids = self._texts.get(name)
        return self.strings[ids[row]] if ids is not None else ""

    def number(self, name, row):
        decimals = self._decimals.get(name)
        if decimals is None:
            words = self._numbers.get(name)
            decimals = self._decimals[name] = from_column(words) if words is not None else [ZERO] * self._rows
        return decimals[row]


class Event:
    """One metered action: who, when, what, and its raw numbers. It is the next event once the function has returned.

    Texts are empty when the event has none.
    """

    __slots__ = (
        "_columns", "_row", "_strings", "_customer", "_parent", "_feature", "_route", "_model", "_provider",
    )

    def __init__(self, columns):
        self._columns, self._row, self._strings = columns, 0, columns.strings
        self._customer, self._parent = columns.ids("customer"), columns.ids("parent")
        self._feature, self._route = columns.ids("feature"), columns.ids("route")
        self._model, self._provider = columns.ids("model"), columns.ids("provider")

    @property
    def customer(self):
        """Who created the usage and pays for it."""
        return self._strings[self._customer[self._row]]

    @property
    def parent(self):
        """The customer's parent, such as an agency's client for one of its sites."""
        return self._strings[self._parent[self._row]]

    @property
    def feature(self):
        """What the application was doing: `review`."""
        return self._strings[self._feature[self._row]]

    @property
    def route(self):
        """The route that the request took: `premium`."""
        return self._strings[self._route[self._row]]

    @property
    def model(self):
        """The model that answered."""
        return self._strings[self._model[self._row]]

    @property
    def provider(self):
        """Who ran the model."""
        return self._strings[self._provider[self._row]]

    def attribute(self, name):
        """One of the application's own words about the event."""
        return self._columns.text("attribute:" + name, self._row)

    @property
    def time(self):
        """When it happened, in milliseconds since 1970-01-01T00:00:00Z."""
        return self._columns.times[self._row]

    @property
    def network_cost(self):
        """What the inference cost the network, in units of the tariff's currency."""
        return self._columns.number("network-cost", self._row)

    def measure(self, name):
        """A raw number of the event, such as `input_tokens`; zero when the event has none of that name."""
        return self._columns.number("measure:" + name, self._row)
