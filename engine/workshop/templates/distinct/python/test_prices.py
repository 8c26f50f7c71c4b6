"""Prices, natively: the plugin's own functions, with counters as the host keeps them."""

import pytest

from plugin import {{Type}}
from tollgate_sdk import Fault, TestBench, TestEvent


def test_a_conversation_is_charged_once():
    bench = TestBench({{Type}}, {"price": "0.25"})
    said = [str(bench.event(TestEvent(attributes={"conversation": id}))) for id in ("a", "a", "b")]
    assert said == ["conversations: 1 at 0.25 = 0.25", "nothing", "conversations: 1 at 0.25 = 0.25"]


def test_an_event_without_a_conversation_is_held():
    bench = TestBench({{Type}}, {"price": "0.25"})
    with pytest.raises(Fault, match="the event has no attribute `conversation`; send it with each event"):
        bench.event(TestEvent())
