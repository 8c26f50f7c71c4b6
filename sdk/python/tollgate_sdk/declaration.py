"""What a plugin says about itself: its units, lines and refusals, as attributes of its class."""

AGGREGATIONS = ("sum", "max", "distinct")
KINDS = ("charge", "credit", "adjustment")


class _Declaration:
    """What has a position in the descriptor once it is an attribute of a plugin's class."""

    __slots__ = ()

    def __getattr__(self, name):
        # Only asked for what is not there.
        kind, word = type(self).__name__.lower(), getattr(self, self.__slots__[0])
        if name == "position":
            raise TypeError(f"the {kind} `{word}` is not an attribute of the plugin's class; declare it there")
        raise AttributeError(f"a {kind} has no `{name}`")


class Unit(_Declaration):
    """A unit that a customer understands; see `unit` in the contract.

    `aggregation` is "sum", "max" or "distinct". A name that begins with `/` points into the settings, so that the
    author of a tariff names the unit. `pooled` counts for the customer's parent; `group_by` names text columns.
    """

    __slots__ = ("name", "aggregation", "pooled", "group_by", "position")

    def __init__(self, name, aggregation="sum", *, pooled=False, group_by=()):
        if aggregation not in AGGREGATIONS:
            raise ValueError(f"unit `{name}`: the aggregation is one of {', '.join(AGGREGATIONS)}")
        self.name, self.aggregation, self.pooled = name, aggregation, pooled
        self.group_by = list(group_by)


class Line(_Declaration):
    """One kind of row on a customer's statement; see `line` in the contract.

    `code` is a stable word for programs, `title` what the customer reads, `unit` what the line's quantity counts, and
    `kind` which sign its amounts may have: "charge", "credit" or "adjustment".
    """

    __slots__ = ("code", "title", "unit", "kind", "position")

    def __init__(self, code, title, *, unit, kind="charge"):
        if kind not in KINDS:
            raise ValueError(f"line `{code}`: the kind is one of {', '.join(KINDS)}")
        self.code, self.title, self.kind = code, title, kind
        self.unit = unit.name if isinstance(unit, Unit) else unit


class Refusal(_Declaration):
    """A reason why an event should not run at all; see `refusal-code` in the contract."""

    __slots__ = ("code", "title", "position")

    def __init__(self, code, title):
        self.code, self.title = code, title


def declared(plugin, kind):
    """All of one kind that a plugin's class declares, in their order, each told its position."""
    found = [value for value in vars(plugin).values() if isinstance(value, kind)]
    for position, declaration in enumerate(found):
        declaration.position = position
    return found
