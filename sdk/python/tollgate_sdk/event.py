"""One event, as the author of a plugin sees it, over the columns of its batch."""

from .exact import ZERO, from_words


class Columns:
    """A frame's columns by name. Those that this SDK does not know are ignored, as the contract demands."""

    __slots__ = ("strings", "times", "texts", "numbers")

    def __init__(self, frame):
        self.strings, self.times = frame.strings, frame.times
        self.texts = {column.name: column.ids for column in frame.texts}
        self.numbers = {column.name: column.words for column in frame.numbers}

    def text(self, name, row):
        ids = self.texts.get(name)
        return self.strings[ids[row]] if ids is not None else ""

    def number(self, name, row):
        words = self.numbers.get(name)
        return from_words(words[2 * row], words[2 * row + 1]) if words is not None else ZERO


class Event:
    """One metered action: who, when, what, and its raw numbers. It is the next event once the function has returned.

    Texts are empty when the event has none.
    """

    __slots__ = ("_columns", "_row")

    def __init__(self, columns):
        self._columns, self._row = columns, 0

    @property
    def customer(self):
        """Who created the usage and pays for it."""
        return self._columns.text("customer", self._row)

    @property
    def parent(self):
        """The customer's parent, such as an agency's client for one of its sites."""
        return self._columns.text("parent", self._row)

    @property
    def feature(self):
        """What the application was doing: `review`."""
        return self._columns.text("feature", self._row)

    @property
    def route(self):
        """The route that the request took: `premium`."""
        return self._columns.text("route", self._row)

    @property
    def model(self):
        """The model that answered."""
        return self._columns.text("model", self._row)

    @property
    def provider(self):
        """Who ran the model."""
        return self._columns.text("provider", self._row)

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
