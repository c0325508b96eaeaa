"""Kochava's standard events: their exact names, and the types of their parameters (SDK). Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

STANDARD_EVENTS = frozenset(
    {
        "Achievement",
        "Add to Cart",
        "Add to Wish List",
        "Checkout Start",
        "Level Complete",
        "Purchase",
        "Rating",
        "Registration Complete",
        "Search",
        "Tutorial Complete",
        "View",
        "Ad View",
        "Push Received",
        "Push Opened",
        "Consent Granted",
        "_Deeplink",
        "Ad Click",
        "Start Trial",
        "Subscribe",
    }
)
_TEXTS = (
    *(
        "action",
        "checkout_as_guest",
        "content_id",
        "content_type",
        "currency",
        "date",
        "description",
        "destination",
    ),
    *("end_date", "item_added_from", "level", "name", "order_id", "origin", "receipt_id", "referral_from"),
    *("registration_method", "results", "score", "search_term", "start_date", "success", "uri", "user_id"),
    *("user_name", "validated"),
    # of advertisements
    *("ad_campaign_id", "ad_campaign_name", "device_type", "ad_group_id", "ad_group_name", "ad_mediation_name"),
    *("ad_network_name", "placement", "ad_size", "ad_type"),
)
_NUMBERS = (
    *("duration", "max_rating_value", "price", "quantity", "rating_value", "spatial_x", "spatial_y", "spatial_z"),
    "sum",
)
_TRUTHS = ("background", "completed")
PARAMETER_TYPES: Mapping[str, tuple[type[Any], ...]] = MappingProxyType(
    dict.fromkeys(_TEXTS, (str,)) | dict.fromkeys(_NUMBERS, (int, float)) | dict.fromkeys(_TRUTHS, (bool,))
)
