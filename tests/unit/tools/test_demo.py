import io
from collections import Counter
from dataclasses import replace

import pytest
from rich.console import Console

from forwarder_tools.demo.cast import Part, cast
from forwarder_tools.demo.show import dead_letter_queue, results, view
from forwarder_tools.demo.watch import Place, Sight, State, settled, states, tally
from forwarder_tools.localcloud import Message
from forwarder_tools.observed import Logged, logged
from forwarder_tools.sandbox import Received

PART = Part("a purchase", "{}", "KDtest-1", (), "delivered", tries=1)
NOTHING = Sight((), (), (), ())
QUEUED = Message("m1", "{}", {}, receives=0, visible=True, visible_at=0.0, group=None)
IN_FLIGHT = replace(QUEUED, receives=1, visible=False)
DEAD = replace(QUEUED, id="d1", attributes={"sourceMessageId": "m1", "reason": "invalid", "detail": "why"})
FAILED = Logged("m1", "unavailable", "HTTP 503")


def _request(*, accepted: bool, device: str = "KDtest-1") -> Received:
    return Received(
        body=b"{}",
        event={"kochava_device_id": device, "data": {"event_name": "Purchase"}},
        headers={},
        problems=(),
        answer="200 success" if accepted else "503",
        accepted=accepted,
        arrived=0.0,
        connection=1,
    )


GOOD, BAD = _request(accepted=True), _request(accepted=False)


@pytest.mark.parametrize(
    ("sight", "place", "outcome", "wrong"),
    [
        (replace(NOTHING, queue=[QUEUED]), Place.QUEUED, "", "still queued, should have ended delivered"),
        (
            replace(NOTHING, queue=[IN_FLIGHT]),
            Place.IN_FLIGHT,
            "",
            "still in flight, should have ended delivered",
        ),
        (
            replace(NOTHING, queue=[IN_FLIGHT], log=[FAILED], received=[BAD]),
            Place.WAITING,
            "unavailable",
            "still waiting, should have ended delivered",
        ),
        (replace(NOTHING, received=[GOOD]), Place.DELIVERED, "delivered", ""),
        (
            replace(NOTHING, received=[BAD, GOOD]),
            Place.DELIVERED,
            "delivered",
            "reached Kochava 2 times, should have 1 times",
        ),
        (replace(NOTHING, dead=[DEAD]), Place.DEAD, "invalid", "ended invalid, should have ended delivered"),
        (
            replace(
                NOTHING,
                dead=[replace(DEAD, attributes={**DEAD.attributes, "reason": "delivered"}, body="other")],
                received=[GOOD],
            ),
            Place.DEAD,
            "delivered",
            "changed on its way to the dead-letter queue",
        ),
        (NOTHING, Place.LOST, "", "lost, should have ended delivered"),
        (replace(NOTHING, received=[BAD]), Place.LOST, "", "lost, should have ended delivered"),
        (
            replace(NOTHING, received=[_request(accepted=True, device="KDtest-2")]),
            Place.LOST,
            "",
            "lost, should have ended delivered",
        ),
    ],
)
def test_an_event_is_where_queues_log_and_sandbox_say(
    sight: Sight, place: Place, outcome: str, wrong: str
) -> None:
    [state] = states({"m1": PART}, sight)
    assert (state.place, state.outcome, state.wrong) == (place, outcome, wrong)


def test_a_retried_event_tells_its_story() -> None:
    [state] = states({"m1": PART}, replace(NOTHING, received=[BAD, GOOD]))
    assert state.why == "503, then 200 success"


def test_lost_events_are_counted_only_when_there_are_some() -> None:
    good = State(PART, Place.DELIVERED, "delivered", "", (GOOD,))
    lost = State(PART, Place.LOST, "", "", ())
    assert Place.LOST not in tally([good])
    assert tally([good, lost])[Place.LOST] == 1
    assert settled([good, lost])
    assert not settled([good, State(PART, Place.WAITING, "", "", ())])


def test_an_event_that_has_to_stay_is_settled_when_it_waits() -> None:
    part = replace(PART, outcome="misconfigured", stays=True)
    log = [replace(FAILED, outcome="misconfigured")]
    [waiting] = states({"m1": part}, replace(NOTHING, queue=[IN_FLIGHT], log=log, received=[BAD]))
    [delivered] = states({"m1": part}, replace(NOTHING, received=[GOOD]))
    assert (waiting.settled, waiting.wrong) == (True, "")
    assert delivered.wrong == "ended delivered, should have stayed in the queue, misconfigured"


def test_every_event_of_the_demo_can_be_told_from_the_others() -> None:
    devices = Counter(part.device for part in cast() if part.device is not None)
    assert set(devices.values()) == {1}
    assert all(part.device is not None for part in cast() if part.tries)


def test_without_a_terminal_a_view_prints_a_line_for_each_change() -> None:
    output = io.StringIO()
    queued = State(PART, Place.QUEUED, "", "", ())
    with view(Console(file=output, width=150)) as shown:
        for state in (queued, queued, replace(queued, place=Place.DELIVERED)):
            shown.update([state])
    first, second = output.getvalue().splitlines()
    assert "queued: 1" in first
    assert "delivered: 1" in second


def test_the_live_view_shows_what_it_is_told_as_it_is() -> None:
    output = io.StringIO()
    odd = replace(PART, title="[odd] title")
    with view(Console(file=output, width=150, force_terminal=True)) as shown:
        shown.update([State(odd, Place.QUEUED, "", "", ())])
    assert "[odd] title" in output.getvalue()


def test_results_show_what_kochava_received() -> None:
    output = io.StringIO()
    install = replace(GOOD, event={"action": "install", "kochava_device_id": "KDtest-1", "data": {}})
    seen = [State(PART, Place.DELIVERED, "delivered", "", (request,)) for request in (GOOD, install)]
    results(Console(file=output, width=150), seen)
    assert "Purchase" in output.getvalue()
    assert "install" in output.getvalue()
    assert "None" not in output.getvalue()


def test_the_dead_letter_queue_is_shown_with_its_reasons() -> None:
    output = io.StringIO()
    console = Console(file=output, width=150)
    dead_letter_queue(console, states({"m1": PART}, replace(NOTHING, dead=[DEAD])))
    dead_letter_queue(console, states({"m1": PART}, replace(NOTHING, received=[GOOD])))
    assert output.getvalue().count("a purchase") == 1
    assert "why" in output.getvalue()


def test_only_log_lines_that_name_an_outcome_count() -> None:
    lines = [
        "START RequestId: 1",
        '{"message": "hello"}',
        "[1]",
        '{"message_id": "m1", "outcome": "unavailable", "detail": "HTTP 503", "attempt": 1}',
    ]
    assert logged(lines) == [FAILED]


WIDTHS = (80, 120, 150)
"""A terminal's, the least that is roomy, and that of what is not a terminal."""

LONG = "data.event_data.registration_method: must be a string, a number, true, false or null (nothing nested)"


def _text(output: str, column: int) -> str:
    """Return a column of a table, read on from line to line without the breaks."""
    cells = [line.split("│")[column].strip() for line in output.splitlines() if line.startswith("│")]
    return "".join("".join(cells).split())


@pytest.mark.parametrize("width", WIDTHS)
def test_results_are_wrapped_and_never_cut_off(width: int) -> None:
    output = io.StringIO()
    part = replace(PART, title="subscription of an unknown device", outcome="misconfigured", stays=True)
    log = [replace(FAILED, outcome="misconfigured", detail=LONG)]
    seen = states({"m1": part}, replace(NOTHING, queue=[IN_FLIGHT], log=log, received=[BAD]))
    results(Console(file=output, width=width), seen)

    assert "…" not in output.getvalue()
    assert max(len(line) for line in output.getvalue().splitlines()) <= width
    assert "misconfigured" in output.getvalue()
    assert _text(output.getvalue(), 4) == LONG.replace(" ", "")
    assert ("│ Purchase" in output.getvalue()) == (width >= 120)


@pytest.mark.parametrize("width", WIDTHS)
def test_dead_letters_are_wrapped_and_never_cut_off(width: int) -> None:
    output = io.StringIO()
    at = "2026-11-27T01:53:37.224+00:00"
    dead = replace(DEAD, attributes={**DEAD.attributes, "detail": LONG, "receiveCount": "1", "deadLetteredAt": at})
    dead_letter_queue(Console(file=output, width=width), states({"m1": PART}, replace(NOTHING, dead=[dead])))

    assert "…" not in output.getvalue()
    assert _text(output.getvalue(), 3) == LONG.replace(" ", "")
    assert (at in output.getvalue()) == (width >= 120)
    assert ("With 120 columns also: receives, dead-lettered at" in output.getvalue()) == (width < 120)


def test_the_live_view_wraps_a_long_answer() -> None:
    output = io.StringIO()
    request = replace(BAD, answer=LONG.replace(" ", "-"))
    with view(Console(file=output, width=80, force_terminal=True)) as shown:
        shown.update([State(PART, Place.QUEUED, "", "", (request,))])
    assert "nested)" in output.getvalue()
