"""`perdure workflow`: what a person does with workflows, over the API of a running server."""
