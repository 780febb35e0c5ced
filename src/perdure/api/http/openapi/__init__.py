"""The OpenAPI 3.1 description of everything that the HTTP door answers."""

from perdure.api.http.openapi.description import description

__all__ = ["description"]
