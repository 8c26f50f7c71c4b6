"""Exact decimals: `decimal.Decimal` in a context that never rounds on its own, and the contract's two words.

In this context `+`, `-` and `*` give the exact result or raise: what a decimal of the contract cannot hold (a
coefficient of some 29 digits, 28 of them after the point) is a fault of the event, and never a rounded price. A float
is refused wherever it turns up.
"""

import re
from decimal import (
    ROUND_HALF_EVEN, Context, Decimal, DecimalException, DivisionByZero, FloatOperation, Inexact,
    InvalidOperation, Overflow,
)

ZERO = Decimal(0)
ONE = Decimal(1)
PLACES_MAX = 28
NANO = Decimal("0.000000001")
_COEFFICIENT_END = 1 << 96
_SIGN = 1 << 63
_LOW = (1 << 64) - 1
_HIGH = (1 << 32) - 1
_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def _context(*traps):
    # With these exponents the last place a number can have is the 28th after the point.
    return Context(prec=29, rounding=ROUND_HALF_EVEN, Emin=0, Emax=28, clamp=0, flags=[], traps=list(traps))


# What every function of a plugin runs in.
EXACT = _context(InvalidOperation, DivisionByZero, Overflow, Inexact, FloatOperation)
# For those operations that say how they round.
_ROUNDING = _context(InvalidOperation, DivisionByZero, Overflow, FloatOperation)


class Fault(Exception):
    """An event that this plugin cannot price, with the reason as a sentence.

    The host holds the event, shows the reason, and goes on with the others. Whatever the plugin had already recorded
    for the event is dropped.
    """


def reason(error):
    """A fault's sentence; also for what exact arithmetic raises by itself."""
    if isinstance(error, Fault):
        return str(error) or "the plugin gave no reason"
    if isinstance(error, FloatOperation):
        return "a float came near an exact decimal; write Decimal(\"0.05\")"
    if isinstance(error, DivisionByZero):
        return "a division by zero"
    if isinstance(error, Inexact):
        return "a result has more digits than an exact decimal can hold (28 after the point)"
    return f"arithmetic failed: {type(error).__name__}"


# What a function may raise to fault its event; anything else is a mistake in the plugin and ends the batch.
FAULTS = (Fault, DecimalException)


def parse(text):
    """Reads `-12.50`: digits, at most one point with digits on both sides, and a leading minus if negative."""
    if not isinstance(text, str) or not _TEXT.fullmatch(text):
        raise ValueError(f"`{text}` is not a decimal: it is written as digits with at most one point: \"12.50\"")
    _, point, fraction = text.partition(".")
    if len(fraction) > PLACES_MAX or abs(int(text.replace(".", ""))) >= _COEFFICIENT_END:
        raise ValueError(f"`{text}` is not a decimal: it has at most 28 digits after the point and about 28 in all")
    value = Decimal(text)
    return value if value else value.copy_abs()


def show(value):
    """The decimal without an exponent."""
    return format(value, "f")


def shortest(value):
    """The same value without trailing zeros after the point."""
    text = show(value)
    return Decimal(text.rstrip("0")) if "." in text else Decimal(text)


def from_words(low, high):
    """Reads the contract's two words, which the host promises to be canonical."""
    if high == 0:
        return Decimal(low)
    coefficient = low | (high & _HIGH) << 64
    value = Decimal(-coefficient if high & _SIGN else coefficient)
    scale = (high >> 32) & 0xFF
    return value.scaleb(-scale, EXACT) if scale else value


def add_words(words, value):
    """Appends the contract's two words to a list."""
    if value is ZERO:
        words.append(0)
        words.append(0)
        return
    if type(value) is not Decimal:
        value = _decimal(value)
    text = str(value)
    if text.isdigit() and len(text) < 20:
        words.append(int(text))
        words.append(0)
        return
    if "E" in text:
        text = format(value, "f")
    negative = text[0] == "-"
    point = text.find(".")
    if point < 0:
        scale, coefficient = 0, int(text)
    else:
        scale, coefficient = len(text) - point - 1, int(text[:point] + text[point + 1:])
    if negative:
        coefficient = -coefficient
    while coefficient >= _COEFFICIENT_END or scale > PLACES_MAX:
        if scale == 0 or coefficient % 10:
            raise Fault("a result has more digits than an exact decimal can hold (28 after the point)")
        coefficient //= 10
        scale -= 1
    words.append(coefficient & _LOW)
    words.append(coefficient >> 64 | scale << 32 | (_SIGN if negative and coefficient else 0))


def _decimal(value):
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise Fault(f"{value!r} is no exact decimal; use decimal.Decimal, made of a text or of an integer")


def rounded(value, places):
    """Rounded half to even to so many digits after the point; unchanged when it has no more than those."""
    return value if -value.as_tuple().exponent <= places else value.quantize(ONE.scaleb(-places), context=_ROUNDING)


def rounded_to_nano(value):
    """Rounded half to even to nine places, as every amount that is charged."""
    # Below ten to the 20th there is room for nine places; what is longer has fewer.
    if value.same_quantum(NANO):
        return value
    text = str(value)
    point = text.find(".")
    if "E" not in text and (point < 0 or len(text) - point <= 10):
        return value
    return rounded(value, 9)


def divided_rounded(dividend, divisor, places):
    """The quotient, rounded half to even once, to so many digits (0 to 28) after the point."""
    if not divisor:
        raise Fault(f"{show(dividend)} cannot be divided by zero")
    # Exact integers, so that nothing is rounded twice.
    left, right = _fraction(dividend), _fraction(divisor)
    numerator = left[0] * right[1] * 10**places
    denominator = left[1] * right[0]
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, rest = divmod(numerator, denominator)
    if rest * 2 > denominator or (rest * 2 == denominator and quotient % 2):
        quotient += 1
    if abs(quotient) >= _COEFFICIENT_END:
        raise Fault(f"{show(dividend)} ÷ {show(divisor)} has more digits than an exact decimal can hold")
    return Decimal(quotient).scaleb(-places, EXACT)


def _fraction(value):
    return value.as_integer_ratio()
