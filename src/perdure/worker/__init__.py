"""Runs work items in this process: turns by the author's code, activities in their places."""
