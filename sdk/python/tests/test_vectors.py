"""The example plugin answers the contract's vectors natively, and decimals are what the vectors say."""

import doctest
import json
import random
import sys
import unittest
from decimal import Decimal, DecimalException, localcontext
from fractions import Fraction
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY / "sdk/python"), str(REPOSITORY / "examples/included-overage/python")]

import tollgate_sdk  # noqa: E402
from included_overage import IncludedOverage  # noqa: E402
from tollgate_sdk.exact import (  # noqa: E402
    EXACT, Fault, from_column, from_words, parse, rounded_to_nano, shortest, show, words_of,
)
from tollgate_sdk.frames import Column, Counted, Frame, Totals  # noqa: E402
from tollgate_sdk.plugin import Batches  # noqa: E402

VECTORS = REPOSITORY / "tests/contract"


def vectors(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def words(texts):
    return [word for text in texts for word in words_of(parse(text))]


def texts(found):
    return [show(shortest(from_words(*found[row:row + 2]))) for row in range(0, len(found), 2)]


def frame(case):
    case = case["frame"]
    return Frame(
        case["rows"], case["strings"], case["times"],
        [Column(name, ids=ids) for name, ids in case["texts"].items()],
        [Column(name, words=words(numbers)) for name, numbers in case["numbers"].items()],
    )


def rated(answer):
    return {
        "counts": answer.counts, "lines": answer.lines, "quantities": texts(answer.quantities),
        "unit_prices": texts(answer.unit_prices), "amounts": texts(answer.amounts),
        "refusals": [list(refusal[:2]) for refusal in answer.refusals], "faults": [event for event, _ in answer.faults],
    }


class Vectors(unittest.TestCase):
    maxDiff = None
    batches = Batches(IncludedOverage)

    def each(self, name):
        for case in vectors(f"included-overage/{name}.json"):
            yield case, json.dumps(case["settings"])

    def test_check(self):
        for case, settings in self.each("check"):
            found = sorted(pointer for pointer, _ in self.batches.check(settings))
            self.assertEqual(found, case["problems"], case["about"])

    def test_meter(self):
        for case, settings in self.each("meter"):
            answer = self.batches.meter(settings, frame(case))
            self.assertEqual(
                {"counts": answer.counts, "units": answer.units, "keys": answer.keys,
                 "quantities": texts(answer.quantities), "strings": answer.strings,
                 "faults": [event for event, _ in answer.faults]},
                case["metered"], case["about"],
            )

    def test_rate(self):
        for case, settings in self.each("rate"):
            table = case["counted"]
            counted = Counted(table["counts"], table["units"], words(table["quantities"]), words(table["before"]),
                              words(table["after"]))
            self.assertEqual(rated(self.batches.rate(settings, frame(case), counted)), case["rated"], case["about"])

    def test_close(self):
        for case, settings in self.each("close"):
            table = case["totals"]
            totals = Totals(table["counts"], table["units"], table["groups"], words(table["totals"]))
            self.assertEqual(rated(self.batches.close(settings, frame(case), totals)), case["rated"], case["about"])


class Decimals(unittest.TestCase):
    vectors = vectors("decimals.json")

    def test_words(self):
        for form in self.vectors["forms"]:
            found = words_of(parse(form["text"]))
            self.assertEqual([f"{word:016x}" for word in found], form["words"], form["text"])
            self.assertEqual(show(from_words(*found)), form["text"])

    def test_texts_that_are_no_decimals(self):
        for text in self.vectors["refused"]:
            with self.assertRaises(ValueError, msg=text):
                parse(text)

    def test_arithmetic(self):
        for case in self.vectors["arithmetic"]:
            left, right = parse(case["left"]), parse(case["right"])
            for name, operation in (("plus", left.__add__), ("minus", left.__sub__), ("times", left.__mul__)):
                self.assertEqual(self.exactly(operation, right), case[name], f"{left} {name} {right}")
            self.assertEqual((left > right) - (left < right), case["compared"])

    def exactly(self, operation, right):
        with localcontext(EXACT):
            try:
                return texts(words_of(operation(right)))[0]
            except (DecimalException, Fault):
                return None

    def test_rounding_to_nano(self):
        for case in self.vectors["rounded_to_nano"]:
            with localcontext(EXACT):
                found = words_of(rounded_to_nano(parse(case["value"])))
            self.assertEqual(texts(found)[0], case["rounded"], case["value"])

    def test_random_decimals_survive_their_words_and_round_half_to_even(self):
        chance = random.Random(20240607)
        values = [
            Decimal((chance.randrange(2), tuple(map(int, str(chance.randrange(10 ** chance.randrange(1, 29))))), -places))
            for places in range(29) for _ in range(200)
        ]
        with localcontext(EXACT):
            found = [word for value in values for word in words_of(value)]
            self.assertEqual(from_column(found), values)
            self.assertEqual(from_column(found), [from_words(*words_of(value)) for value in values])
            for value in values:
                numerator, denominator = value.as_integer_ratio()
                # `round` of a fraction is half to even.
                expected = Decimal(round(Fraction(numerator * 10**9, denominator))).scaleb(-9)
                self.assertEqual(rounded_to_nano(value), expected, value)

    def test_division_rounds_once(self):
        for dividend, divisor, places, quotient in (
            ("1", "3", 4, "0.3333"), ("2", "3", 4, "0.6667"), ("1", "8", 2, "0.12"), ("3", "8", 2, "0.38"),
            ("-1", "8", 2, "-0.12"), ("1", "-3", 28, "-0.3333333333333333333333333333"), ("10", "0.5", 0, "20"),
        ):
            answer = tollgate_sdk.divided_rounded(parse(dividend), parse(divisor), places)
            self.assertEqual(show(answer), quotient)
        with self.assertRaises(Fault):
            tollgate_sdk.divided_rounded(parse("1"), parse("0"), 2)

    def test_floats_are_refused(self):
        with localcontext(EXACT), self.assertRaises(DecimalException):
            tollgate_sdk.Decimal(0.1)
        with self.assertRaises(Fault):
            words_of(0.1)


class Documentation(unittest.TestCase):
    def test_the_example_is_true(self):
        failed, tried = doctest.testmod(tollgate_sdk)
        self.assertEqual((failed, tried > 0), (0, True))


if __name__ == "__main__":
    unittest.main()
