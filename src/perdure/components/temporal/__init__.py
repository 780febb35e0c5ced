"""A Temporal cluster as a workflow component. Only its settings come without `temporalio`."""
