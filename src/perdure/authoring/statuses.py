"""Custom statuses as they are told."""

import warnings

from perdure.authoring.payloads import to_json

# From the call in the workflow to the warning here.
_LEVELS = 3


def custom_status_text(custom_status: object) -> str | None:
    """Return a custom status as text: a text as it is, anything else as JSON, with a warning."""
    if custom_status is None or isinstance(custom_status, str):
        return custom_status
    warnings.warn(
        "Passing a non-str value to set_custom_status is deprecated and will be removed in a "
        "future version. Serialize your value to a JSON string before calling.",
        DeprecationWarning,
        stacklevel=_LEVELS,
    )
    return to_json(custom_status)
