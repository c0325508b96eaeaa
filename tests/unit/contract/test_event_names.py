"""Which names were meant to be a standard event's, and which are names of their own."""

import pytest

from kochava_forwarder.contract.event_names import meant_event
from kochava_forwarder.contract.standard_events import STANDARD_EVENTS


@pytest.mark.parametrize("name", sorted(STANDARD_EVENTS))
def test_a_standard_name_needs_no_suggestion(name: str) -> None:
    assert meant_event(name) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        # case and punctuation
        ("purchase", "Purchase"),
        ("PURCHASE!", "Purchase"),
        ("add-to-cart", "Add to Cart"),
        ("AddToCart", "Add to Cart"),
        ("Add to Wishlist", "Add to Wish List"),
        ("Deeplink", "_Deeplink"),
        ("deep_link", "_Deeplink"),
        # one slip of the finger
        ("Purchse", "Purchase"),
        ("Purhcase", "Purchase"),
        ("Purrchase", "Purchase"),
        ("Purchese", "Purchase"),
        ("Purchas", "Purchase"),
        ("Serach", "Search"),
        ("Veiw", "View"),
        ("Ad Veiw", "Ad View"),
        ("Ratng", "Rating"),
        ("Start Trail", "Start Trial"),
        ("Registation Complete", "Registration Complete"),
        # plural and past
        ("Views", "View"),
        ("Viewed", "View"),
        ("Purchases", "Purchase"),
        ("Purchased", "Purchase"),
        ("Searches", "Search"),
        ("Subscribed", "Subscribe"),
        ("Level Completed", "Level Complete"),
        ("Added to Cart", "Add to Cart"),
        ("Checkout Started", "Checkout Start"),
        ("Ads Clicked", "Ad Click"),
        # another order
        ("Trial Start", "Start Trial"),
        ("Trial Started", "Start Trial"),
        ("Complete Registration", "Registration Complete"),
        ("complete_registration", "Registration Complete"),
        ("CompleteRegistration", "Registration Complete"),
        ("view_ad", "Ad View"),
    ],
)
def test_a_name_that_was_meant_otherwise_has_a_suggestion(name: str, meant: str) -> None:
    assert meant_event(name) == meant


@pytest.mark.parametrize(
    "name",
    [
        *("Unsubscribe", "Unsubscribed", "Research", "Repurchase", "Resubscribe", "Review", "Preview", "Reviewed"),
        *("Prepurchase", "Re-Subscribe", "pre_view", "Subscriber", "Searcher", "Grating", "Dating", "Racing"),
        *("Vie", "Vier", "Viex", "Vew", "Ad", "Start", "Level", "Complete", "Cart", "Push", "Consent"),
        *("Start Tutorial", "Reservation Complete", "Trial", "Purchase Refunded", "Add Payment Info"),
        *("Level 5 Complete", "Purchase 2", "Level Complete 10", "View2", "Purchas3", "Search_1"),
        *("", "\U0001f3bf", "x" * 41, "Achat", "Sharce", "Boss Defeated", "searching", "Rate"),
    ],
)
def test_a_name_of_its_own_has_none(name: str) -> None:
    assert meant_event(name) is None
