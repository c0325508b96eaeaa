import pytest

from forwarder_tools.fuzz.run import fuzz
from kochava_forwarder import events, wire
from kochava_forwarder.outcomes import Outcome

BODIES = 5_000


def test_broken_bodies_have_one_outcome_each_and_none_breaks_a_law() -> None:
    done: list[int] = []

    findings = fuzz(BODIES, seed=7, progress=done.append)

    assert findings.broken == []
    assert findings.outcomes.keys() == {Outcome.DELIVERED, Outcome.INVALID}
    assert findings.outcomes.total() == sum(done) == BODIES
    assert min(findings.outcomes.values()) > BODIES / 20


@pytest.mark.parametrize(("module", "function"), [(events, "parse"), (wire, "encode_user_agent")])
def test_a_bug_is_found(monkeypatch: pytest.MonkeyPatch, module: object, function: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(module, function, fail)

    assert any("LookupError" in line for line in fuzz(200, seed=7, progress=lambda _: None).broken)
