"""Payloads and history events as the JSON of the HTTP API."""
