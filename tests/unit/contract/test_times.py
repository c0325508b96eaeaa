"""When something happened: the forms of a time that are taken."""

import pytest

from tests.unit.strategies import (
    MINIMAL,
    NOON,
    SENT_AT,
    changed,
    problems,
    sent,
)


@pytest.mark.parametrize(
    ("usertime", "seconds"),
    [
        (NOON, NOON),
        (str(NOON), NOON),
        (NOON * 1000 + 999, NOON),
        (str(NOON * 1000 + 999), NOON),
        ("2018-03-20T19:26:56Z", NOON),
        ("2018-03-20T19:26:56.999Z", NOON),
        ("2018-03-20T20:26:56+01:00", NOON),
        ("2018-03-20 13:56:56-05:30", NOON),
        ("20180320T192656Z", NOON),
        (978_307_200, 978_307_200),
        ("2001-01-01T00:00:00Z", 978_307_200),
        (4_102_444_799, 4_102_444_799),
        ("2099-12-31T23:59:59Z", 4_102_444_799),
        (4_102_444_799_999, 4_102_444_799),
        (978_307_200_000, 978_307_200),
        (NOON * 10**6 + 999_999, NOON),
        (str(NOON * 10**6), NOON),
        (NOON * 10**9 + 999_999_999, NOON),
        (float(NOON), NOON),
        (NOON + 0.999, NOON),
        (NOON * 1000 + 999.9, NOON),
        (f"{NOON}.75", NOON),
        (f"{NOON}999.5", NOON),
        (1.521574016e9, NOON),
        ("1.521574016e9", NOON),
        (f" {NOON}\n", NOON),
        ("2018-03-20 19:26:56 UTC", NOON),
        ("2018-03-20 19:26:56.789 UTC", NOON),
        ("2018-03-20 19:26:56 GMT", NOON),
        ("2018-03-20T19:26:56z", NOON),
        (" 2018-03-20T19:26:56Z\n", NOON),
        ("2018-03-20t19:26:56Z", NOON),
        ("2018-03-20 21:26:56 +0200", NOON),
        ("2018-03-20 19:26:56 +0000 UTC", NOON),
        ("2018-03-20 21:26:56.123456789 +0200 CEST m=+0.000012", NOON),
        ("2018-03-20 16:26:56 -0300 -03", NOON),
        ("2018-03-20 19:26:56 +0000 +0000", NOON),
        ("2018-03-20 21:26:56 +0200 +0200 m=+1.5", NOON),
        ("2018-03-20 19:26:56+00", NOON),
        ("2018-03-20T19:26:56.123456789Z", NOON),
        ("2018-03-20T19:26:56Z[UTC]", NOON),
        ("2018-03-20T20:26:56+01:00[Europe/Paris]", NOON),
        ("Tue, 20 Mar 2018 19:26:56 GMT", NOON),
        ("Tue, 20 Mar 2018 20:26:56 +0100", NOON),
        ("20 Mar 2018 19:26:56 -0000", NOON),
        ("Tuesday, 20-Mar-2018 19:26:56 GMT", NOON),
        ("Tue, 20-Mar-2018 19:26:56 GMT", NOON),
        ("2018-03-20 19:26:56Z +00", NOON),
        ("Tue Mar 20 19:26:56 UTC 2018", NOON),
        ("Tue Mar 20 21:26:56 +0200 2018", NOON),
        ("Fri Mar  9 19:26:56 GMT 2018", NOON - 11 * 86400),
        ("Tue Mar 20 2018 19:26:56 GMT+0000 (Coordinated Universal Time)", NOON),
        ("Tue Mar 20 2018 20:26:56 GMT+0100", NOON),
        (f"/Date({NOON}000)/", NOON),
        (f"/Date({NOON}999+0200)/", NOON),
        ("/Date(978307200000)/", 978_307_200),
    ],
)
def test_usertime_becomes_whole_seconds(usertime: object, seconds: int) -> None:
    assert sent(changed({"data.usertime": usertime}))["data"]["usertime"] == seconds


@pytest.mark.parametrize(
    ("usertime", "wrong"),
    [
        (978_307_199, "must lie in the years 2001 to 2099"),
        (4_102_444_800, "must lie in the years 2001 to 2099"),
        (0, "must lie in the years 2001 to 2099"),
        (-NOON, "must lie in the years 2001 to 2099"),
        (978_307_199_999, "must lie in the years 2001 to 2099"),  # milliseconds of 2000 have 12 digits
        (4_102_444_800_000, "must lie in the years 2001 to 2099"),
        (NOON * 10**4, "must lie in the years 2001 to 2099"),  # of no unit
        (978_307_199_999_999, "must lie in the years 2001 to 2099"),
        (4_102_444_800 * 10**9, "must lie in the years 2001 to 2099"),
        (10**400, "must be a finite number"),
        (978_307_199.999, "must lie in the years 2001 to 2099"),
        ("1e400", "must be a finite number"),
        (float("inf"), "must be a finite number"),
        ("0", "must lie in the years 2001 to 2099"),
        ("1999-12-31T23:59:59Z", "must lie in the years 2001 to 2099"),
        ("0001-01-01T00:00:00+23:59", "must lie in the years 2001 to 2099"),
        ("9999-12-31T23:59:59-23:59", "must lie in the years 2001 to 2099"),
        ("2018-03-20T19:26:56", "must name its time zone"),
        ("2018-03-20", "must name its time zone"),
        ("2018-03-20 UTC", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("2018-03-20 19:26:56 CEST", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("2018-03-20 25:26:56 UTC", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue, 20 Mar 2018 19:26:56", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue, 40 Mar 2018 19:26:56 GMT", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue Mar 20 19:26:56 CEST 2018", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue Mar 20 19:26:56 UTC 0018", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("2018-03-20 16:26:56 -0300 -02", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("2018-03-20 16:26:56Z -0300", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue Mar 20 19:26:56 2018", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue Feb 30 19:26:56 UTC 2018", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f"/Date({NOON})/", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("/Date(978307199999)/", "must lie in the years 2001 to 2099"),
        ("yesterday", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("0x5AB15A00", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f"+{NOON}", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f"{NOON},5", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (
            "\u0661\u0665\u0662\u0661\u0665\u0667\u0664\u0660\u0661\u0666",
            "must be seconds since 1970 or an ISO 8601 da",
        ),
        ("9" * 5000, "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ([NOON], "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (True, "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_usertime_that_is_no_time_of_ours_is_refused(usertime: object, wrong: str) -> None:
    assert problems(changed({"data.usertime": usertime})).startswith(f"data.usertime: {wrong}")


@pytest.mark.parametrize("said", [NOON, NOON * 1000, str(NOON), NOON + 0.5, "2018-03-20T19:26:56Z"])
def test_the_time_of_apples_consent_is_read_as_any_time(said: object) -> None:
    event = changed({"data.app_tracking_transparency": {"att": True, "att_time": said, "att_duration": "2.5"}})
    assert sent(event)["data"]["app_tracking_transparency"] == {"att": True, "att_time": NOON, "att_duration": 2.5}


@pytest.mark.parametrize("usertime", ["", " ", "\n"])
def test_an_empty_time_is_that_of_the_message(usertime: str) -> None:
    assert sent(changed({"data.usertime": usertime}))["data"]["usertime"] == SENT_AT


@pytest.mark.parametrize("unset", [0, "0", " 0 ", "", "null", None])
def test_a_time_of_consent_that_was_never_set_is_left_out(unset: object) -> None:
    event = changed({"data.app_tracking_transparency": {"att": False, "att_time": unset}})
    assert sent(event)["data"]["app_tracking_transparency"] == {"att": False}


@pytest.mark.parametrize("unfilled", ["null", "(null)", "undefined", "N/A", "${CURRENCY}"])
def test_a_currency_and_a_time_that_were_never_filled_in_are_as_if_missing(unfilled: str) -> None:
    assert sent(changed({"data.currency": unfilled, "data.usertime": unfilled}, MINIMAL)) == sent(MINIMAL)
