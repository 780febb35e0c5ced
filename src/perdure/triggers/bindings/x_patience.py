"""How long to stay away from the X API after trouble, by its own rules; pure.

- A stream that was open and is torn is opened again at once, the first time.
- Trouble of the network: a quarter of a second more each time, up to 16 seconds.
- A refusal: 5 seconds, then twice as long each time, up to 320 seconds.
- Asked too often: until the limit ends if the answer says when; else a minute, then twice as long
  each time, up to the 15 minutes of the longest limit.
"""

from dataclasses import dataclass
from typing import Final

from perdure.base.time import MINUTE_US, SECOND_US
from perdure.triggers.bindings.x_api import XTrouble, until_reset_us

NETWORK_STEP_US: Final = SECOND_US // 4
NETWORK_LONGEST_US: Final = 16 * SECOND_US
REFUSED_FIRST_US: Final = 5 * SECOND_US
REFUSED_LONGEST_US: Final = 320 * SECOND_US
LIMITED_FIRST_US: Final = MINUTE_US
LIMITED_LONGEST_US: Final = 15 * MINUTE_US
_DOUBLINGS_MAX: Final = 10
# The clock of the API may be a little behind ours.
_RESET_MARGIN_US: Final = SECOND_US


@dataclass(slots=True)
class Patience:
    """Counts the trouble since the stream was last open."""

    torn: int = 0
    refused: int = 0
    limited: int = 0

    def begin_again(self) -> None:
        """Forget the trouble: the stream has been open for a while."""
        self.torn = self.refused = self.limited = 0

    def pause_us(self, error: Exception, *, was_open: bool, now_us: int) -> int:
        """Return how long to stay away after `error`."""
        if not isinstance(error, XTrouble):
            self.torn += 1
            steps = self.torn - 1 if was_open else self.torn
            return min(steps * NETWORK_STEP_US, NETWORK_LONGEST_US)
        if error.is_rate_limit:
            self.limited += 1
            longer_us = LIMITED_FIRST_US << min(self.limited - 1, _DOUBLINGS_MAX)
            reset_us = until_reset_us(error, now_us)
            wanted_us = longer_us if reset_us is None else reset_us + _RESET_MARGIN_US
            return min(wanted_us, LIMITED_LONGEST_US)
        self.refused += 1
        return min(REFUSED_FIRST_US << min(self.refused - 1, _DOUBLINGS_MAX), REFUSED_LONGEST_US)
