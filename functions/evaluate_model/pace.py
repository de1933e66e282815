"""How many requests may be under way at a time: as many as the service takes, found by trying.

Additive increase, multiplicative decrease, as TCP does it (Chiu and Jain 1989, "Analysis of the
increase and decrease algorithms for congestion avoidance in computer networks"): the number grows
with every answer, by one a round once the service has refused something, and a refusal halves it.
It knows no clock: time is the order in which requests were sent.
"""

FIRST = 32
"""So many requests are sent at once to a service that nothing is known of yet."""

SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 16.0


class Pace:
    """The pace of one caller. It is not safe to use from several threads.

    Attributes:
        most: The most requests that may ever be under way.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._limit = float(min(FIRST, most))
        self._sent = 0
        self._sent_at_cut = 0
        self._has_been_cut = False
        self._cuts_in_a_row = 0

    @property
    def allowed(self) -> int:
        """How many requests may be under way now, 1 or more."""
        return int(self._limit)

    def sent(self) -> int:
        """Count a request that is sent, and return its number."""
        self._sent += 1
        return self._sent

    def went_well(self) -> None:
        """Take in that a request was answered."""
        self._cuts_in_a_row = 0
        # Up to the first refusal by one an answer, which doubles it every round.
        more = 1 / self._limit if self._has_been_cut else 1.0
        self._limit = min(self._limit + more, float(self.most))

    def was_refused(self, number: int) -> float:
        """Take in that the service had no room for a request.

        Requests that were sent before the last cut say nothing about the pace since.

        Args:
            number: The request's number.

        Returns:
            How many seconds to send nothing: zero, unless nothing was answered between two cuts.
        """
        if number <= self._sent_at_cut:
            return 0.0
        self._sent_at_cut = self._sent
        self._has_been_cut = True
        self._limit = max(self._limit / 2, 1.0)
        self._cuts_in_a_row += 1
        if self._cuts_in_a_row == 1:
            return 0.0
        # The exponent is bounded, as a float is.
        doublings = min(self._cuts_in_a_row - 2, 10)
        return float(min(SHORTEST_PAUSE * 2**doublings, LONGEST_PAUSE))
