"""What the bridge cannot have Temporal do, said as a failure that workflow code sees."""

from perdure.bridge.names import is_reserved
from perdure.bridge.texts import PAYLOAD_BYTES_MAX, is_too_large
from perdure.core.events import Failure


def complaint_of(name: str, what: str, text: str | None) -> Failure | None:
    """Return why Temporal cannot be asked for something; None if it can."""
    if is_reserved(name):
        return Failure("ReservedName", f"{what} cannot be named '{name}' on the bridge")
    if is_too_large(text):
        text = (
            f"the input of '{name}' is larger than {PAYLOAD_BYTES_MAX} bytes, which Temporal takes"
        )
        return Failure("PayloadSizeExceeded", text)
    return None
