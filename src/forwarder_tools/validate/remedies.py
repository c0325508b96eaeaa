"""What to do about each kind of problem, and about each warning. Pure.

A kind of problem is known by the words with which the contract begins it; a test goes through all of its words.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from kochava_forwarder.contract.warnings import EventWarning


class _Kind(NamedTuple):
    remedy: str
    beginnings: tuple[str, ...]  # of the problem, or of `key: problem` where the key makes a difference


# The first that fits counts, so that a longer beginning stands before a shorter one.
PROBLEMS = (
    # the body
    _Kind("print the event with a JSON library, whole", ("not JSON",)),
    _Kind("make it flat: no event has more than three levels", ("nested too deeply", "is nested too deeply")),
    _Kind("send a number that a program can hold, or a string", ("a number has too many digits",)),
    _Kind("SQS takes text as it is", ("is base64", "is gzip")),
    _Kind("an event is far smaller than a message may be", ("is a pointer to S3",)),
    _Kind("have one program write the JSON, once", ("must be a JSON object (this is one inside",)),
    _Kind("give each event a message of its own (in a file, a line)", ("must be a JSON object",)),
    _Kind(
        "or give each record its messageId, body, attributes and eventSourceARN",
        ("this is a whole Lambda event",),
    ),
    _Kind(
        "the event is what is inside, not what is around it",
        ("is a whole SQS", "is a CloudEvent", "is a message of Celery's", "is a message of MassTransit's"),
    ),
    _Kind("leave it out: S3 tells of files", ("this is a notification of S3's", "is a test message of S3's")),
    _Kind("publish the event through fewer topics and buses", ("is one envelope too many",)),
    _Kind("confirm the subscription, and leave this message out", ("this is SNS's own message",)),
    _Kind("write it in UTF-8, without half a surrogate pair", ("is not valid Unicode",)),
    _Kind("pass the envelope on as AWS made it, or publish the event alone", ("is not valid (",)),
    # keys
    _Kind("correct its spelling", ("is not a known key (did you mean",)),
    _Kind("remove it, or put it into data", ("is not a known key",)),
    _Kind("add your app's GUID, or --app-id if your stack has KochavaAppId", ("kochava_app_id: is missing",)),
    _Kind("add the user's own, not your server's, or \"\"", ('is missing ("" if unknown)',)),
    _Kind("add it", ("is missing",)),
    _Kind("keep one", ("is given twice",)),
    _Kind("keep one of the two, or make them equal", ("differs from",)),
    _Kind("put it into data", ("belongs inside data",)),
    _Kind("move it up, out of data", ("belongs beside data",)),
    _Kind("give it another name", ("is reserved by Kochava",)),
    _Kind("give it one, or remove it", ("an identifier needs a name", "an identity needs a name")),
    # the device and its user
    _Kind("add an identifier of the device, or kochava_device_id", ("names no device, and",)),
    _Kind(
        "add kochava_device_id, or an identifier of the device that is no advertising id", ("names its device by",)
    ),
    _Kind("add an identity of the user that is no advertising id", ("links its user by",)),
    _Kind("send no update of this user", ("has nothing to send but the idfa",)),
    _Kind("send the update when the device has told its IDFA", ("names no device",)),
    _Kind("add the one that the install had", ("is needed: an update",)),
    _Kind("an identifier as the device tells it, neither hashed nor encrypted", ("looks hashed",)),
    _Kind(
        "send it as the device tells it, or add another identifier",
        ("must be a UUID", "must be 1 to 16 hexadecimal digits", "must be digits"),
    ),
    _Kind("send an identity that is not personal, such as your own number of the user", ("looks like an e-mail",)),
    _Kind("add an identity of the user, or send no link", ("links nobody",)),
    _Kind("fill in your app's GUID", ("is a placeholder",)),
    _Kind("say 0 or 1, or add the user's address", ("is needed when origination_ip is empty",)),
    _Kind("add what the user chose", ("needs tc_string",)),
    # values
    _Kind("send the address of the user's device", ("must be an IPv4", "must be a string: the client's")),
    _Kind(
        "send whole seconds since 1970", ("must be seconds", "must lie in the years", "must name its time zone")
    ),
    _Kind("send a code such as USD", ("must be a three-letter",)),
    _Kind("leave it out if there is none", ("must be a finite number",)),
    _Kind("send digits with a point, and the currency in its own field", ("must be a number",)),
    _Kind("send zero or more", ("must not be negative",)),
    _Kind("flatten it, or send it as text", ("must be a string, a number",)),
    _Kind("send names and values in braces", ("must be an object",)),
    _Kind("put it in quotes", ("must be a string",)),
    _Kind("send one of these, or leave it out", ("must be '", "must be true or false", "must be 0 or 1")),
    _Kind("fill it in", ("must not be empty",)),
    _Kind("send the user agent alone", ("must have at most",)),
)


def remedy_for(key: str, problem: str) -> str | None:
    """Return what to do about a problem; None if its kind is not in the table.

    Args:
        key: the last key of the path to what is wrong.
        problem: what is wrong, as the contract says it.
    """
    said = (problem, f"{key}: {problem}")
    return next((kind.remedy for kind in PROBLEMS if any(text.startswith(kind.beginnings) for text in said)), None)


class Explanation(NamedTuple):
    """What a warning means, and what to do."""

    meaning: str
    remedy: str


WARNINGS: Mapping[EventWarning, Explanation] = MappingProxyType(
    {
        EventWarning.EVENT_NAME_NEAR_STANDARD: Explanation(
            "Kochava counts it as another event",
            "write it as the standard event, if it is that one",
        ),
        EventWarning.EVENT_NAME_PLACEHOLDER: Explanation(
            "the name was never filled in, and Kochava makes an event of it", "send the name of what happened"
        ),
        EventWarning.ATT_MISSING: Explanation(
            "without app_tracking_transparency Kochava drops the IDFA of iOS and tvOS 14+",
            "add it, also if the user refused",
        ),
        EventWarning.TOO_MANY_PARAMETERS: Explanation(
            "event_data has more than 16 parameters, and Kochava may drop some",
            "leave out those that nobody looks at",
        ),
        EventWarning.PARAMETER_TYPE: Explanation(
            "a parameter of a standard event is of another type than Kochava's SDKs send",
            "send names and levels as text, amounts and prices as numbers",
        ),
        EventWarning.INTEGER_TOO_LARGE: Explanation(
            "an integer has more than 64 bits, and most readers round it", "send it as text"
        ),
        EventWarning.KEY_NEAR_FIELD: Explanation(
            "a key is a field's but for case, _ or -: Kochava does not read it as that field",
            "write it as the contract does, or give it another name",
        ),
        EventWarning.USERTIME_IN_FUTURE: Explanation(
            "usertime is later than now", "set the clock, or the zone, that it comes from"
        ),
        EventWarning.CURRENCY_WITHDRAWN: Explanation(
            "ISO 4217 has withdrawn this currency", "send the one that followed it"
        ),
        EventWarning.CURRENCY_NONE: Explanation(
            "this code stands for no currency, or for a test", "send the currency of the amount"
        ),
        EventWarning.IDENTIFIER_FORM: Explanation(
            "an identifier is not of its form, or its name says that it is hashed",
            "send it raw, as the device tells it",
        ),
        EventWarning.IDENTIFIER_NAME: Explanation(
            "an identifier has another name than Kochava's", "call it idfa, idfv, adid or android_id"
        ),
        EventWarning.ORIGINATION_IP_EMPTY: Explanation(
            "Kochava cannot match by an address", "send that of the user's device, if you know it"
        ),
        EventWarning.ORIGINATION_IP_NOT_PUBLIC: Explanation(
            "the address is that of a proxy, a private network or a test", "send that of the user's device"
        ),
        EventWarning.DEVICE_UA_EMPTY: Explanation(
            "Kochava cannot match by a user agent", "send that of the user's device, if you know it"
        ),
        EventWarning.DEVICE_VER_EMPTY: Explanation(
            "neither device_ua nor device_ver says what the device is", "add one, such as iPhone-iOS-17.5"
        ),
        EventWarning.DEVICE_VER_FORM: Explanation(
            "device_ver is not <device>-<os>-<version>", "send it so, such as iPhone-iOS-17.5, or leave it out"
        ),
        EventWarning.APP_VER_EMPTY: Explanation("the install has no version of the app", "add app_ver"),
    }
)
