"""For people, never deployed: the Kochava sandbox, the local cloud, and the commands built on them."""
