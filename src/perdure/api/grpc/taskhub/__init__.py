"""TaskHubSidecarService: what the workers and clients of every Dapr Workflow SDK call."""
