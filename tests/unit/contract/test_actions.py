"""The actions beside `event`: what each must say, and what is made of it."""

import json
from typing import Any

import pytest

from kochava_forwarder.contract.models import SHAPES, Event, IdentityLink, Install, Update
from kochava_forwarder.contract.warnings import EventWarning, warnings_for
from tests.unit.strategies import (
    FULL,
    GONE,
    INSTALL,
    LINK,
    MINIMAL,
    SENT_AT,
    UPDATE,
    UUID,
    ZERO_UUID,
    changed,
    problems,
    read,
    sent,
)
from tests.unit.strategies import Event as Tree

SHA_1 = "a9993e364706816aba3e25717850c26c9cd0d89d"


def warned(event: Tree) -> list[EventWarning]:
    return list(warnings_for(read(event), sent_at=SENT_AT))


def flat(event: Tree) -> Tree:
    """Write a message with everything beside ``data``."""
    data: Tree = event["data"]
    return {name: value for name, value in event.items() if name != "data"} | data


@pytest.mark.parametrize(
    ("event", "model"), [(MINIMAL, Event), (INSTALL, Install), (UPDATE, Update), (LINK, IdentityLink)]
)
def test_the_action_decides_which_message_it_is(event: Tree, model: type[Any]) -> None:
    assert type(read(event)) is model


@pytest.mark.parametrize("event", [INSTALL, UPDATE, LINK], ids=lambda event: event["action"])
def test_a_message_is_sent_as_it_is_but_for_its_time(event: Tree) -> None:
    filled = {"usertime": SENT_AT} | ({"device_ver": ""} if event is INSTALL else {})
    assert sent(event) == event | {"data": event["data"] | filled}
    assert warned(event) == []


@pytest.mark.parametrize("event", [INSTALL, UPDATE, LINK], ids=lambda event: event["action"])
def test_the_flat_form_means_the_same(event: Tree) -> None:
    assert sent(flat(event)) == sent(event)
    assert sent(flat(event) | {"data": {}}) == sent(event)
    assert sent(flat(event) | {"data": []}) == sent(event)


@pytest.mark.parametrize(
    ("event", "path", "wrong"),
    [
        *((event, "kochava_app_id", "is missing") for event in (INSTALL, UPDATE, LINK)),
        (INSTALL, "data.device_ids", "is missing"),
        (INSTALL, "data.device_ua", 'is missing ("" if unknown)'),
        (INSTALL, "data.origination_ip", 'is missing ("" if unknown)'),
        (UPDATE, "kochava_device_id", "is needed: an update is of a device that is known"),
        (UPDATE, "data.idfa", "is missing"),
        (LINK, "data.identity_link", "is missing"),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else value,
)
def test_what_an_action_requires_is_required(event: Tree, path: str, wrong: str) -> None:
    assert problems(changed({path: GONE}, event)) == f"{path}: {wrong}"


def test_problems_have_the_path_of_the_form_that_was_published() -> None:
    assert problems(flat(changed({"data.idfa": "x"}, UPDATE))) == "idfa: must be a UUID with dashes"


@pytest.mark.parametrize(
    ("event", "key", "wrong"),
    [
        (UPDATE, "app_ver", "is not a known key (did you mean app_version?)"),
        (UPDATE, "event_name", "is not a known key"),
        (LINK, "identity_links", "is not a known key (did you mean identity_link?)"),
        (INSTALL, "install_referer", "is not a known key (did you mean install_referrer?)"),
        (INSTALL, "identity_link", "is not a known key"),
    ],
)
def test_a_key_of_another_action_is_unknown(event: Tree, key: str, wrong: str) -> None:
    assert problems(event | {key: "x"}) == f"{key}: {wrong}"


def test_all_actions_are_named_where_one_is_wrong() -> None:
    names = "'event', 'install', 'update' or 'identityLink'"
    assert problems(MINIMAL | {"action": "open"}) == f"action: must be {names}"
    assert len(SHAPES) == 4


@pytest.mark.parametrize(
    ("event", "written"),
    [
        *((MINIMAL, written) for written in ("Event", "EVENT", " event\n", "", " ", None)),
        *((INSTALL, written) for written in ("Install", "INSTALL")),
        *(
            (LINK, written)
            for written in ("identitylink", "IdentityLink", "identity_link", "IDENTITY-LINK", "identitylin\u212a")
        ),
    ],
)
def test_an_action_is_known_by_its_letters(event: Tree, written: object) -> None:
    assert sent(event | {"action": written}) == sent(event)


@pytest.mark.parametrize("event", [INSTALL, UPDATE, LINK, MINIMAL, FULL])
@pytest.mark.parametrize("action", ["identity", "installs", "open", "e.v.e.n.t", 1, ["event"]])
def test_of_an_unknown_action_nothing_is_said_but_that_it_is(event: Tree, action: object) -> None:
    named = "action: must be 'event', 'install', 'update' or 'identityLink'"
    assert problems(event | {"action": action}) == problems(flat(event) | {"action": action}) == named


def test_what_is_wrong_with_every_action_is_so_with_an_unknown_one() -> None:
    event = changed(
        {"action": "open", "kochava_app_id": GONE, "event_id": 1.5, "data.x": "\ud800", "y": []}, INSTALL
    )
    body = json.dumps(event).replace('"y"', '"y": 1, "y"')
    assert problems(body).split("; ")[:2] == ["y: is given twice", problems({"action": "open"}).split("; ")[0]]
    assert problems(body).split("; ")[2:] == [
        "kochava_app_id: is missing",
        "event_id: must be a string",
        "data.x: is not valid Unicode",
    ]


# --- install ------------------------------------------------------------------------------------------------


def test_the_version_of_an_install_is_put_where_kochava_reads_it() -> None:
    event = changed({"app_ver": GONE, "data.app_version": "2.0"}, INSTALL)
    assert sent(event)["app_ver"] == sent(event)["data"]["app_version"] == "2.0"
    assert sent(flat(event))["app_ver"] == "2.0"
    assert sent(changed({"data.app_version": "2.0"}, INSTALL))["app_ver"] == "1.0.0"
    assert sent(changed({"app_ver": 415}, INSTALL))["app_ver"] == "415"


@pytest.mark.parametrize("app_ver", [GONE, None, "", " "])
def test_an_install_without_a_version_has_the_apps(app_ver: object) -> None:
    event = changed({"app_ver": app_ver, "data.app_version": "2.0"}, INSTALL)
    assert sent(event)["app_ver"] == "2.0"
    assert EventWarning.APP_VER_EMPTY not in warned(event)


@pytest.mark.parametrize("app_ver", [GONE, None, ""])
def test_an_install_without_a_version_is_counted(app_ver: object) -> None:
    event = changed({"app_ver": app_ver}, INSTALL)
    assert warned(event) == [EventWarning.APP_VER_EMPTY]
    assert sent(event).get("app_ver", "") == ""


def test_an_install_names_a_device() -> None:
    event = changed({"data.device_ids": {"idfa": ZERO_UUID}, "kochava_device_id": "null"}, INSTALL)
    assert problems(event) == "data.device_ids: names no device, and kochava_device_id neither"


def test_an_install_is_warned_of_as_an_event_is() -> None:
    event = changed(
        {"data.device_ua": "", "data.device_ver": "14", "data.origination_ip": None, "data.x": 2**64}, INSTALL
    )
    assert sorted(warned(event)) == [
        EventWarning.DEVICE_UA_EMPTY,
        EventWarning.DEVICE_VER_FORM,
        EventWarning.INTEGER_TOO_LARGE,
        EventWarning.ORIGINATION_IP_EMPTY,
    ]
    assert warned(changed({"data.device_ua": "Fake/1 (iOS 17.0)"}, INSTALL)) == [EventWarning.ATT_MISSING]


@pytest.mark.parametrize("token", ["", "null", None, "{token}"])
def test_a_token_that_was_never_filled_in_is_left_out(token: str | None) -> None:
    assert "ad_services_token" not in sent(changed({"data.ad_services_token": token}, INSTALL))["data"]


def test_a_token_is_sent_as_it_is() -> None:
    assert sent(changed({"data.ad_services_token": "a/b+c=="}, INSTALL))["data"]["ad_services_token"] == "a/b+c=="
    assert problems(changed({"data.ad_services_token": 5}, INSTALL)) == "data.ad_services_token: must be a string"


# --- update -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device_id", ["", None, "null", "0000", " "])
def test_an_update_is_of_a_device_that_kochava_knows(device_id: str | None) -> None:
    event = changed({"kochava_device_id": device_id, "data.device_ids": {"udid": "x"}}, UPDATE)
    assert problems(event) == "kochava_device_id: is needed: an update is of a device that is known"


@pytest.mark.parametrize(
    ("idfa", "wrong"),
    [
        (ZERO_UUID, "names no device"),
        ("", "names no device"),
        ("null", "names no device"),
        (SHA_1, "looks hashed; send it raw"),
        (UUID.replace("-", ""), "must be a UUID with dashes (this is a UUID without dashes, or hashed)"),
        ("x", "must be a UUID with dashes"),
        (5, "must be a string"),
        (None, "must be a string"),
    ],
)
def test_an_update_has_the_idfa_that_became_known(idfa: object, wrong: str) -> None:
    assert problems(changed({"data.idfa": idfa}, UPDATE)) == f"data.idfa: {wrong}"


def test_an_idfa_is_trimmed() -> None:
    assert sent(changed({"data.idfa": f" {UUID}\n"}, UPDATE))["data"]["idfa"] == UUID


# --- identityLink -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identities", "expected"),
    [
        ({"app_userid": " u-1 "}, {"app_userid": "u-1"}),
        ({" app_userid": "u-1"}, {"app_userid": "u-1"}),
        ({"app_userid": 48213}, {"app_userid": "48213"}),
        ({"app_userid": "u-1", "crm": None, "shop": "", "old": "undefined"}, {"app_userid": "u-1"}),
        ({"email": "9b2cf535f27731c9"}, {"email": "9b2cf535f27731c9"}),
        ({"twitter": "@someone"}, {"twitter": "@someone"}),
    ],
)
def test_identities_are_texts_that_name_somebody(identities: Tree, expected: Tree) -> None:
    assert sent(changed({"data.identity_link": identities}, LINK))["data"]["identity_link"] == expected


@pytest.mark.parametrize(
    ("identities", "path", "wrong"),
    [
        ({}, "", "links nobody"),
        ([], "", "links nobody"),
        ({"app_userid": "null"}, "", "links nobody"),
        ("u-1", "", "must be an object"),
        (["u-1"], "", "must be an object"),
        ({"app_userid": 1.5}, ".app_userid", "must be a string"),
        ({"app_userid": True}, ".app_userid", "must be a string"),
        ({"app_userid": {"id": "u-1"}}, ".app_userid", "must be a string"),
        ({" ": "u-1"}, ".?", "an identity needs a name"),
        ({"a": "u-1", "a ": "u-2"}, ".?", "is given twice"),
        *(
            ({"app_userid": mail}, ".app_userid", "looks like an e-mail address, which Kochava does not store")
            for mail in ("someone@b.example", "Some One <some.one@b.example>", "someone%40b.example", "a+b@c.co")
        ),
    ],
)
def test_an_identity_link_links_somebody(identities: object, path: str, wrong: str) -> None:
    assert problems(changed({"data.identity_link": identities}, LINK)) == f"data.identity_link{path}: {wrong}"


def test_an_identity_link_is_of_a_device() -> None:
    event = changed({"kochava_device_id": ""}, LINK)
    assert problems(event) == "data.device_ids: names no device, and kochava_device_id neither"
    assert sent(changed({"data.device_ids": {"udid": "x"}}, event))["data"]["device_ids"] == {"udid": "x"}
    odd = changed({"data.device_ids": {"idfa": "x"}}, event)
    assert problems(odd) == "data.device_ids.idfa: must be a UUID with dashes"


@pytest.mark.parametrize("event", [UPDATE, LINK], ids=lambda event: event["action"])
def test_what_more_is_said_of_a_device_keeps_the_rules(event: Tree) -> None:
    more = {"data.origination_ip": "203.0.113.7:80", "data.device_ua": "Fake%2F1", "data.device_ver": "x"}
    data = sent(changed(more, event))["data"]
    assert (data["origination_ip"], data["device_ua"]) == ("203.0.113.7", "Fake/1")
    assert warned(changed(more, event)) == [EventWarning.DEVICE_VER_FORM]
    assert problems(changed({"data.origination_ip": "x"}, event)).startswith(
        "data.origination_ip: must be an IPv4"
    )
    assert problems(changed({"data.nested": {}}, event)).startswith("data.nested: must be a string")
