"""Durable workflows behind the Dapr Workflow API."""

__all__ = ["__version__"]

__version__ = "0.1.0"
