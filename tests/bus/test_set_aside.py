"""What has come to stay is out of the collector's way: a full collection of a long session's log index is late frames."""

from __future__ import annotations

import gc

from navtwin.run.live import set_aside


def test_what_lives_on_is_not_walked_again():
    kept: list[list[int]] = [[n] for n in range(10)]
    try:
        set_aside()
        walked = {id(one) for one in gc.get_objects()}
        assert not any(id(one) in walked for one in kept)
    finally:
        gc.unfreeze()


def test_what_has_come_since_is_still_collected():
    class Loop:
        def __init__(self) -> None:
            self.me = self

    try:
        set_aside()
        one = Loop()
        alive = [id(one)]
        del one
        gc.collect()
        assert not any(id(found) in alive for found in gc.get_objects() if type(found) is Loop)
    finally:
        gc.unfreeze()
