"""The OpenIGTLink benchmark accounts for every transform that its sender sent."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks.openigtlink_parts.streams import bare, ours, streamed


@pytest.mark.heavy
@pytest.mark.parametrize("receive", [partial(ours, per_second=500.0), bare], ids=["ours", "bare"])
def test_every_transform_is_accounted_for(receive: object) -> None:
    outcome = streamed(("Stylus",), 500.0, 1.0, receive)  # type: ignore[arg-type]
    assert (outcome.sent, outcome.received, outcome.disordered) == (500, 500, 0)
    assert outcome.latency_ms
    assert min(outcome.latency_ms) > 0.0
