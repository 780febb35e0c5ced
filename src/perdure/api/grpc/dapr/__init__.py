"""dapr.proto.runtime.v1.Dapr: the workflow methods, and what SDKs call when they start."""
