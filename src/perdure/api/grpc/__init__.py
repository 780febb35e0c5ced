"""The gRPC door: what workers and clients of the released SDKs speak."""
