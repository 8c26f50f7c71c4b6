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
# One at each place after the point.
_PLACES = [Decimal((0, (1,), -places)) for places in range(PLACES_MAX + 1)]
# The same by the second word of a decimal that is not negative and whose coefficient fits the first.
_PLACE_OF = {places << 32: place for places, place in enumerate(_PLACES)}
# The words of decimals that were written already, by their text: a batch has the same few again and again.
_WRITTEN = {}
_WRITTEN_MAX = 4096
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
    return EXACT.multiply(Decimal(-coefficient if high & _SIGN else coefficient), _PLACES[(high >> 32) & 0xFF])


def from_column(words):
    """Reads all of a column's decimals at once, which takes half as long as one by one."""
    lows, highs = words[::2], words[1::2]
    if not any(highs):
        return list(map(Decimal, lows))
    multiply, place_of = EXACT.multiply, _PLACE_OF.get
    return [
        from_words(low, high) if (place := place_of(high)) is None else multiply(Decimal(low), place)
        for low, high in zip(lows, highs)
    ]


def words_of(value):
    """The contract's two words."""
    if type(value) is not Decimal:
        value = _decimal(value)
    text = str(value)
    words = _WRITTEN.get(text)
    if words is None:
        words = _words(format(value, "f"))
        if len(_WRITTEN) == _WRITTEN_MAX:
            _WRITTEN.clear()
        _WRITTEN[text] = words
    return words


def _words(text):
    whole, _, fraction = text.partition(".")
    scale, coefficient = len(fraction), abs(int(whole + fraction))
    while coefficient >= _COEFFICIENT_END or scale > PLACES_MAX:
        if scale == 0 or coefficient % 10:
            raise Fault("a result has more digits than an exact decimal can hold (28 after the point)")
        coefficient //= 10
        scale -= 1
    negative = text[0] == "-" and coefficient
    return coefficient & _LOW, coefficient >> 64 | scale << 32 | (_SIGN if negative else 0)


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
    try:
        value.quantize(NANO, None, EXACT)
    except Inexact:
        return value.quantize(NANO, None, _ROUNDING)
    except InvalidOperation:
        # From ten to the 20th on there is no room for nine places, and so there are fewer.
        return value
    return value


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
