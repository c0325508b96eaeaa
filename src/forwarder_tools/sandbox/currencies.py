"""Which three letters are a currency: those of ISO 4217, and those that it has withdrawn of late.

Not the forwarder's own list, so that a code missing there is noticed here.
"""

import iso4217

_WITHDRAWN = "ANG BGN BYR CUC HRK MRO SLL STD VEF ZWL"

CURRENCIES = frozenset(currency.code for currency in iso4217.Currency) | frozenset(_WITHDRAWN.split())
