import pytest

from kochava_forwarder.contract import names
from kochava_forwarder.contract.names import LONGEST_KEPT, squeezed


@pytest.mark.parametrize("name", ["order_id", "orderId", "ORDER-ID", " Order Id\t", "order" + "_" * 100 + "id"])
def test_names_are_the_same_but_for_case_blanks_and_hyphens(name: str) -> None:
    assert squeezed(name) == "orderid"


@pytest.mark.parametrize(("length", "kept"), [(LONGEST_KEPT, 1), (LONGEST_KEPT + 1, 0)])
def test_a_long_name_is_not_remembered(length: int, kept: int) -> None:
    cache = vars(names)["_kept"]
    cache.cache_clear()
    squeezed("x" * length)
    assert cache.cache_info().currsize == kept
