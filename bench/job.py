"""What a load process is told to do, and what it tells then; as JSON between the processes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field

from bench.latencies import Latencies

MOST_SECONDS = 600.0
MOST_CONNECTIONS = 20_000
UNBOUNDED = 1 << 60


@dataclass(frozen=True)
class Job:
    """One load: how many connections, and what they do for how long. Bounded in both.

    ``window`` messages are under way on every connection; ``talkers`` of them write ``rate``
    messages a second whatever comes back; ``visitors`` connect, log in, leave and come again.
    ``most`` ends the load early, after so many messages were sent or log-ins made. Where messages
    are ``expected``, connection 0 logs in only when the load begins, and reads so many.
    """

    port: int = 0
    first: int = 0
    connections: int = 20
    ring: int = 20
    step: int = 1
    seconds: float = 5.0
    size: int = 1024
    window: int = 0
    talkers: int = 0
    rate: float = 0.0
    visitors: int = 0
    most: int = UNBOUNDED
    expected: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= MOST_SECONDS or self.connections > MOST_CONNECTIONS:
            raise ValueError(f"a load of {self.connections} connections for {self.seconds} s")

    def share(self, part: int, parts: int) -> Job:
        """Return the ``part`` of this job that one of several processes does."""
        first = self.connections * part // parts
        upto = self.connections * (part + 1) // parts
        talkers = self.talkers * (part + 1) // parts - self.talkers * part // parts
        visitors = self.visitors * (part + 1) // parts - self.visitors * part // parts
        most = -(-self.most // parts)
        changes = {"talkers": talkers, "visitors": visitors, "most": most}
        return dataclasses.replace(self, first=first, connections=upto - first, **changes)

    def text(self) -> str:
        """Return the job as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def read(cls, text: str) -> Job:
        """Return the job that ``text`` spells."""
        return cls(**json.loads(text))


@dataclass
class Outcome:
    """What a load came to.

    ``rate_seconds`` is the time in which ``counted`` messages were delivered, ``first`` how long
    the first one took from the beginning of the log-in.
    """

    sent: int = 0
    answered: int = 0
    refused: int = 0
    delivered: int = 0
    counted: int = 0
    rate_seconds: float = 0.0
    log_ins: int = 0
    lost: int = 0
    cpu: float = 0.0
    first: float = 0.0
    answers: Latencies = field(default_factory=Latencies)
    deliveries: Latencies = field(default_factory=Latencies)
    visits: Latencies = field(default_factory=Latencies)

    def add(self, other: Outcome) -> None:
        """Count in what another process saw at the same time."""
        for name in ("sent", "answered", "refused", "delivered", "counted", "log_ins", "lost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cpu += other.cpu
        self.rate_seconds = max(self.rate_seconds, other.rate_seconds)
        self.first = max(self.first, other.first)
        for name in ("answers", "deliveries", "visits"):
            getattr(self, name).merge(getattr(other, name))

    def text(self) -> str:
        """Return the outcome as one line of JSON."""
        plain = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        for name in ("answers", "deliveries", "visits"):
            plain[name] = plain[name].buckets
        return json.dumps(plain)

    @classmethod
    def read(cls, text: str) -> Outcome:
        """Return the outcome that ``text`` spells."""
        plain = json.loads(text)
        for name in ("answers", "deliveries", "visits"):
            plain[name] = Latencies({int(at): count for at, count in plain[name].items()})
        return cls(**plain)
