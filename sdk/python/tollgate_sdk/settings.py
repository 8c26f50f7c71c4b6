"""What the author of a tariff may set: a class with annotated fields, its JSON Schema, and its reading.

    class Settings(tollgate_sdk.Settings):
        overage_price: Annotated[Decimal, "The price of each unit beyond the included ones."]
        premium_routes: Annotated[list[str], "Routes whose events cost something more."] = []

A field may be a `Decimal` (in the JSON a text: "12.50"), `str`, `bool`, `int`, `list[...]`, a choice of texts
(`Literal["a", "b"]`), another class of settings, or any of them `| None`. A field without a default must be set. Other
fields than these are refused.
"""

import json
import types
from decimal import Decimal
from functools import cache
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from .exact import parse, show

DECIMAL_SCHEMA = {"type": "string", "pattern": r"^-?[0-9]{1,29}(\.[0-9]{1,28})?$"}
_PLAIN = {str: ("string", "a text"), bool: ("boolean", "true or false"), int: ("integer", "an integer")}


class Problem(Exception):
    """What is wrong with one value of the settings: a JSON pointer to it, and a sentence."""

    def __init__(self, pointer, message):
        super().__init__(message)
        self.pointer, self.message = pointer, message


class Settings:
    """The base of a class of settings. Its instances cannot be changed."""

    def __init__(self, **values):
        for name in _fields(type(self)):
            object.__setattr__(self, name, values.pop(name) if name in values else _default(type(self), name))
        if values:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(values)}")

    def __setattr__(self, name, value):
        raise AttributeError(f"settings cannot be changed; {name} stays {getattr(self, name, None)!r}")

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None


# Looking at hints takes a millisecond: it is done once, before the component is made.
@cache
def _fields(settings):
    return {name: hint for name, hint in get_type_hints(settings, include_extras=True).items() if name[0] != "_"}


def _has_default(settings, name):
    return hasattr(settings, name)


def _default(settings, name):
    if not _has_default(settings, name):
        raise TypeError(f"{settings.__name__}: `{name}` has no default and must be given")
    return getattr(settings, name)


def schema(settings):
    """The JSON Schema (draft 2020-12) of a class of settings."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": settings.__name__, **_schema(settings)}


def _schema(hint):
    base, words = _apart(hint)
    if isinstance(base, type) and issubclass(base, Settings):
        fields = _fields(base)
        found = {"type": "object", "additionalProperties": False, "properties": {}}
        for name, field in fields.items():
            found["properties"][name] = _schema(field)
            if _has_default(base, name):
                found["properties"][name]["default"] = _as_json(getattr(base, name))
        required = [name for name in fields if not _has_default(base, name)]
        if required:
            found["required"] = required
    elif base is Decimal:
        found = dict(DECIMAL_SCHEMA)
    elif base in _PLAIN:
        found = {"type": _PLAIN[base][0]}
    elif get_origin(base) is list:
        found = {"type": "array", "items": _schema(get_args(base)[0])}
    elif get_origin(base) is Literal:
        found = {"enum": list(get_args(base))}
    elif _optional(base) is not None:
        found = {"anyOf": [_schema(_optional(base)), {"type": "null"}]}
    else:
        raise TypeError(f"settings cannot have a field of type {base!r}")
    if words:
        found["description"] = words
    elif isinstance(base, type) and issubclass(base, Settings) and base.__doc__:
        found["description"] = " ".join(base.__doc__.split())
    return found


def _apart(hint):
    if get_origin(hint) is not Annotated:
        return hint, ""
    base, *extras = get_args(hint)
    return base, next((extra for extra in extras if isinstance(extra, str)), "")


def _optional(base):
    if get_origin(base) not in (Union, types.UnionType):
        return None
    others = [option for option in get_args(base) if option is not type(None)]
    return others[0] if len(others) == 1 and len(get_args(base)) == 2 else None


def _as_json(value):
    if isinstance(value, Decimal):
        return show(value)
    if isinstance(value, Settings):
        return {name: _as_json(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, (list, tuple)):
        return [_as_json(each) for each in value]
    return value


class _Number(str):
    """A JSON number that is no integer, as it is written: no float is ever made of it."""


def read(settings, text):
    """The settings that a JSON text says; raises `Problem` naming the value that does not fit."""
    try:
        value = json.loads(text, parse_float=_Number, parse_constant=_Number)
    except ValueError as error:
        raise Problem("", f"the settings are not JSON: {error}") from None
    return _read(settings, value, "")


def _read(hint, value, pointer):
    base, _ = _apart(hint)
    if isinstance(base, type) and issubclass(base, Settings):
        if not isinstance(value, dict):
            raise Problem(pointer, "an object belongs here")
        fields = _fields(base)
        for name in value:
            if name not in fields:
                raise Problem(pointer, f"there is no setting `{name}`; there are {', '.join(fields)}")
        missing = [name for name in fields if name not in value and not _has_default(base, name)]
        if missing:
            raise Problem(pointer, f"`{missing[0]}` is missing")
        return base(**{name: _read(fields[name], each, f"{pointer}/{name}") for name, each in value.items()})
    if base is Decimal:
        if type(value) is not str:
            raise Problem(pointer, "a decimal in quotation marks belongs here, like \"12.50\"")
        try:
            return parse(value)
        except ValueError as error:
            raise Problem(pointer, str(error)) from None
    if base in _PLAIN:
        if type(value) is not base:
            raise Problem(pointer, f"{_PLAIN[base][1]} belongs here")
        return value
    if get_origin(base) is list:
        if type(value) is not list:
            raise Problem(pointer, "a list belongs here")
        return [_read(get_args(base)[0], each, f"{pointer}/{place}") for place, each in enumerate(value)]
    if get_origin(base) is Literal:
        if value not in get_args(base):
            raise Problem(pointer, f"one of {', '.join(get_args(base))} belongs here")
        return value
    return None if value is None else _read(_optional(base), value, pointer)
