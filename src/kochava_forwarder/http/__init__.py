"""HTTP/1.1 over kept connections; knows nothing of Kochava."""
