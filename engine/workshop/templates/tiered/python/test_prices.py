"""Prices, natively: the plugin's own functions, with counters as the host keeps them."""

import pytest

from plugin import {{Type}}
from tollgate_sdk import TestBench, TestEvent


def test_an_event_across_an_edge_pays_both_prices():
    bench = TestBench({{Type}}, {"tiers": [{"up_to": "10", "price": "0.50"}, {"price": "0.20"}]})
    assert str(bench.event(TestEvent(documents="8"))) == "documents: 8 = 4.00"
    assert str(bench.event(TestEvent(documents="5"))) == "documents: 5 = 1.60"


def test_tiers_rise_and_the_last_is_open():
    with pytest.raises(ValueError, match="^/tiers/1/up_to: "):
        TestBench({{Type}}, {"tiers": [{"up_to": "10", "price": "1"}, {"up_to": "5", "price": "1"}]})
