from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.lanes import Lanes

SENT = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40)), max_size=60)


def test_who_sends_little_is_next_however_many_another_sends() -> None:
    lanes = Lanes[str](1000)
    for place in range(100):
        lanes.put("loud", f"loud {place}", 4)
    lanes.put("calm", "calm", 1)

    assert "calm" in lanes.take(10)


def test_one_lane_leaves_half_the_room_to_others() -> None:
    lanes = Lanes[str](10)

    assert [lanes.put("loud", "x", 1) for _ in range(7)] == [True] * 5 + [False] * 2
    assert lanes.put("calm", "x", 5)
    assert not lanes.put("third", "x", 1)


def test_what_is_larger_than_the_room_goes_alone() -> None:
    lanes = Lanes[str](10)

    assert lanes.put("a", "large", 500)
    assert lanes.take(100) == ["large"]
    assert not lanes


@given(SENT, st.integers(1, 50))
def test_everything_let_in_comes_out_once_and_each_lane_in_its_order(sent: list[tuple[str, int]], most: int) -> None:
    lanes, let_in, out = Lanes[tuple[str, int]](300), list[tuple[str, int]](), list[tuple[str, int]]()
    for place, (lane, size) in enumerate(sent):
        if lanes.put(lane, (lane, place), size):
            let_in.append((lane, place))
    while lanes:
        taken = lanes.take(most)
        assert taken
        out += taken

    assert sorted(out) == sorted(let_in)
    for lane in "abc":
        assert [one for one in out if one[0] == lane] == [one for one in let_in if one[0] == lane]
