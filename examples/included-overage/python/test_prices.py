"""What `included-overage` charges, case by case. `pytest` runs these natively, and so does `python -m unittest`."""

import unittest

from included_overage import IncludedOverage
from tollgate_sdk import Fault, TestBench, TestEvent

REQUESTS = {"included": "2", "overage_price": "0.02", "premium_routes": ["premium"], "premium_surcharge": "0.05"}
DOCUMENTS = {"unit": "document", "count": "documents", "included": "10", "overage_price": "0.5"}


class Prices(unittest.TestCase):
    def test_events_are_free_until_the_included_ones_are_used(self):
        bench = TestBench(IncludedOverage, REQUESTS)
        for event, expected in (
            (TestEvent(), "included: 1 = 0"),
            (TestEvent(route="premium"), "included: 1 = 0\npremium: 1 at 0.05 = 0.05"),
            (TestEvent(), "overage: 1 at 0.02 = 0.02"),
            (TestEvent(route="premium"), "overage: 1 at 0.02 = 0.02\npremium: 1 at 0.05 = 0.05"),
            (TestEvent(customer="another"), "included: 1 = 0"),
        ):
            self.assertEqual(str(bench.event(event)), expected)

    def test_an_event_that_straddles_the_limit_is_split_exactly(self):
        bench = TestBench(IncludedOverage, DOCUMENTS)
        for documents, expected in (
            ("7.5", "included: 7.5 = 0"),
            ("0", "nothing"),
            ("4", "included: 2.5 = 0\noverage: 1.5 at 0.5 = 0.75"),
            ("1", "overage: 1.0 at 0.5 = 0.50"),
        ):
            self.assertEqual(str(bench.event(TestEvent(documents=documents))), expected)

    def test_a_batch_costs_what_its_events_cost_one_by_one(self):
        events = [TestEvent(documents=documents) for documents in ("3", "4.25", "0", "6", "0.125", "9")]
        together = TestBench(IncludedOverage, DOCUMENTS).batch(events)
        bench = TestBench(IncludedOverage, DOCUMENTS)
        self.assertEqual(together, [bench.event(event) for event in events])

    def test_a_period_has_its_fee(self):
        bench = TestBench(IncludedOverage, {**DOCUMENTS, "period": {"fee": "20", "minimum": "25"}})
        bench.event(TestEvent(documents="12"))
        self.assertEqual(str(bench.close()), "fee: 1 = 20\nminimum: 1 = 4.0")

    def test_settings_that_make_no_sense_are_named(self):
        with self.assertRaisesRegex(ValueError, "/included: -1 is negative; use zero or more"):
            TestBench(IncludedOverage, {"overage_price": "1", "included": "-1"})
        with self.assertRaisesRegex(ValueError, "/overage_price: a decimal in quotation marks belongs here"):
            TestBench(IncludedOverage, {"overage_price": 0.5})

    def test_what_cannot_be_priced_exactly_is_a_fault(self):
        bench = TestBench(IncludedOverage, {**DOCUMENTS, "overage_price": "0.1234567890123456789012345678"})
        with self.assertRaisesRegex(Fault, "more digits than an exact decimal can hold"):
            bench.event(TestEvent(documents="11.3"))


if __name__ == "__main__":
    unittest.main()
