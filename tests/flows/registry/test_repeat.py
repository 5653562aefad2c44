"""What a service does again and again says each trouble once, and goes on."""

from threading import Event

from flows.common.errors import StoreError
from flows.registry.repeat import repeat


def test_a_trouble_is_said_once_and_again_once_it_was_over() -> None:
    one, other = StoreError("one is damaged"), OSError("no space")
    turns = [one, one, None, one, other, other, one, None]
    stop = Event()
    said: list[str] = []
    done: list[Exception | None] = []

    def work() -> None:
        turn = turns[len(done)]
        done.append(turn)
        if len(done) == len(turns):
            stop.set()
        if turn:
            raise turn

    repeat(work, stop, said.append, seconds=0, waits="this waits")
    assert done == turns
    assert said == [f"this waits: {error}" for error in (one, one, other, one)]
