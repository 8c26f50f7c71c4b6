"""Prices, natively: the plugin's own functions, with counters as the host keeps them."""

import pytest

from plugin import {{Type}}
from tollgate_sdk import TestBench, TestEvent


def test_documents_beyond_the_included_ones_are_charged():
    bench = TestBench({{Type}}, {"price": "0.50", "included": "10"})
    assert str(bench.event(TestEvent(documents="8"))) == "nothing"
    assert str(bench.event(TestEvent(documents="5"))) == "documents: 3 at 0.50 = 1.50"


def test_a_negative_price_is_refused():
    with pytest.raises(ValueError, match="^/price: -1 is negative"):
        TestBench({{Type}}, {"price": "-1"})
