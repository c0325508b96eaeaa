"""Kochava's side: payloads, answers, signing."""
