"""What authors of workflows write with: registry, contexts, tasks, and the replay of histories."""
