"""Workflow components: the one interface behind every door, and what implements it."""
