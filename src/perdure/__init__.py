"""Durable workflows behind the Dapr Workflow API."""
