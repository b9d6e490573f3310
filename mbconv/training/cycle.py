"""A training cycle: how rate and crops change over it, and how many epochs fit into the time that is left.

Both depend on the cycle's progress, from 0 to 1, and not on the number of the epoch: on a machine with other work an
epoch takes anything between one and several times its undisturbed time, and with a deadline the number of remaining
epochs is planned anew after each. No epoch advances by more than :data:`GREATEST_STEP`: a short spell of heavy load
must not make the rate fall to 0 at once, which cannot be undone, and the deadline yields.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

GREATEST_STEP = 0.1  # of the progress, in one epoch


@dataclass(frozen=True)
class Cycle:
    """A rate that rises from 0 to its peak and falls to 0, and crops that grow.

    Args:
        epochs: of the cycle, where no deadline says otherwise.
        peak: the greatest rate.
        decay: weight decay.
        crops: (progress from which on, pixels), in order.
        warm_up: the share of the cycle in which the rate rises.
    """

    epochs: int
    peak: float
    decay: float
    crops: tuple[tuple[float, int], ...]
    warm_up: float

    def rate(self, progress: float) -> float:
        """The rate at a progress."""
        return self.peak * (progress / self.warm_up if progress < self.warm_up else (1 - progress) / (1 - self.warm_up))

    def crop(self, progress: float) -> int:
        """Pixels of a crop in an epoch that begins at a progress."""
        return [size for start, size in self.crops if start <= progress + 1e-9][-1]

    def affordable_epochs(self, progress: float, seconds: float, seconds_per_pixel: float) -> int:
        """How many equal epochs from a progress to the end take at most so many seconds.

        At least as many as keep an epoch's step within :data:`GREATEST_STEP`, whatever they take.

        Args:
            progress: what is done.
            seconds: what is left.
            seconds_per_pixel: an epoch with crops of ``size`` pixels takes ``size``² times as many.
        """
        count = max(1, ceil((1 - progress) / GREATEST_STEP - 1e-9))
        while self._seconds(progress, count + 1, seconds_per_pixel) <= seconds:
            count += 1
        return count

    def _seconds(self, progress: float, count: int, seconds_per_pixel: float) -> float:
        starts = (progress + (1 - progress) * number / count for number in range(count))
        return seconds_per_pixel * sum(self.crop(start) ** 2 for start in starts)


def next_time(text: str, now: datetime) -> datetime:
    """The next moment after ``now`` at which its clock shows ``text``, HH:MM.

    Raises:
        ValueError: the text is no time of day.
    """
    time = datetime.strptime(text, "%H:%M").time()
    moment = datetime.combine(now.date(), time, now.tzinfo)
    return moment if moment > now else moment + timedelta(days=1)
