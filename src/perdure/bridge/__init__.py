"""The bridge: workflows of Dapr SDKs on a Temporal cluster. It needs the extra `temporal`."""
