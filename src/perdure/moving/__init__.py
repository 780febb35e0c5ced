"""Instances as files, and from one store to another."""
