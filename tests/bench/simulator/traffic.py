"""Requests on their way through the system, and the spans that they leave.

Each request draws where it lands: instance, and with it the version of everything that it meets. What is met decides
which effects hurt it. Which spans are then told is a matter of its own: processes that aren't traced, that don't tell
their version, or that lose their spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.bench.simulator.alarm import Seen
from tests.bench.simulator.draws import Draws
from tests.bench.simulator.effects import FAILS, POOR, SLOW, Effect
from tests.bench.simulator.rollouts import Timelines
from tests.bench.simulator.spans import CLIENT, CONSUMER, PRODUCER, SERVER, Attribute, Emitter, SpanRow
from tests.bench.simulator.world import MAX_DEPTH, Call, Service, World, flag_ref, prompt_ref
from whence.model import names

MAX_VISITS = 14
"""Of one request: circles end."""
HOP_NS = 400_000
QUEUE_MS = 200.0
PROVIDER_MS = 60.0
FAILURE_SPREADS = 0.95
RETRIED = 0.3
EARLY_PLACES, EARLY_TROUBLE = 0.4, 2.5


@dataclass(frozen=True, slots=True)
class Telling:
    """How truthful telemetry is."""

    lost_spans: float = 0.0
    skew_ns: Mapping[str, int] = field(default_factory=dict)
    """By service."""
    broken_queues: bool = False
    """Whether messages carry no context."""
    keep_good: float = 1.0
    """Share of good requests that the sampler keeps; it keeps all that failed."""


class Arrival(NamedTuple):
    """How a request gets to a service."""

    at_ns: int
    parent: bytes = b""
    """Span that it belongs under; empty for a root."""
    topic: str = ""
    """Where the message was taken from; empty for a call."""
    link: tuple[bytes, bytes] | None = None


class Visit(NamedTuple):
    """How one service answered."""

    end_ns: int
    failed: bool
    poor: bool


class Traffic:
    """Makes requests; not to be shared between cases."""

    def __init__(
        self,
        world: World,
        timelines: Timelines,
        effects: Iterable[Effect],
        telling: Telling,
        draws: Draws,
    ) -> None:
        self.world = world
        self.timelines = timelines
        self.telling = telling
        self.draws = draws
        self.effects: dict[str, list[Effect]] = {}
        for effect in effects:
            self.effects.setdefault(effect.place, []).append(effect)
        self.watched = ""
        """Service whose requests are kept in ``seen``."""
        self.seen: list[Seen] = []
        self.things = {one.name: things_of(one, world) for one in world.services.values()}

    def request(self, entry: str, at_ns: int) -> list[SpanRow]:
        """The spans that one request leaves."""
        walk = _Walk(self)
        answer = walk.visit(entry, Arrival(at_ns))
        if not answer.failed and self.draws.random() >= self.telling.keep_good:
            return []
        lost = self.telling.lost_spans
        return [row for row in walk.rows if not lost or self.draws.random() >= lost]


def things_of(service: Service, world: World) -> tuple[str, ...]:
    """References of all that a request meets at a service, itself first."""
    return (
        service.ref,
        *(world.models[name].ref for name in service.models),
        *(world.tables[read.dataset].ref for read in service.reads),
        *map(flag_ref, service.flags),
        *map(prompt_ref, service.prompts),
    )


class _Walk:
    """One request."""

    def __init__(self, traffic: Traffic) -> None:
        self.rows: list[SpanRow] = []
        self._traffic = traffic
        self._world = traffic.world
        self._draws = traffic.draws
        self._tenant = self._draws.choice(self._world.tenants)
        self._is_early = self._tenant == self._world.early_tenant
        self._met: dict[str, str] = {}
        self._trace_id = self._draws.randbytes(16)
        self._visits = 0
        self._depth = 0
        self._places: dict[str, float] = {}

    def visit(self, name: str, arrival: Arrival) -> Visit:
        """Let one service answer."""
        service, draws = self._world.services[name], self._draws
        self._visits += 1
        self._depth += 1
        span_id = draws.randbytes(8)
        operation = draws.choice(service.operations)
        for thing in self._traffic.things[name]:
            self._met[thing] = self._traffic.timelines.actual[thing].version(arrival.at_ns, self._place(thing))
        shows = self._hurt(service, arrival.at_ns, operation)
        trouble = EARLY_TROUBLE if self._is_early else 1.0
        own_ns = int(draws.lognormal(service.own_ms * shows.get(SLOW, 1.0), 0.35) * 1e6)
        own = Visit(
            arrival.at_ns + own_ns // 2,
            failed=FAILS in shows or draws.random() < service.error_rate * trouble,
            poor=POOR in shows or draws.random() < service.poor_rate * trouble,
        )
        answer = self._ask_others(service, own, span_id if service.is_traced else arrival.parent)
        answer = answer._replace(end_ns=answer.end_ns + own_ns // 2)
        if service.is_traced:
            at_entry = self._world.outcome_at_entry
            poor = answer.poor and not arrival.parent if at_entry else own.poor
            self._tell(service, arrival, span_id, operation, answer._replace(poor=poor))
        if name == self._traffic.watched:
            took_ns = answer.end_ns - arrival.at_ns
            self._traffic.seen.append(Seen(arrival.at_ns, took_ns, answer.failed, answer.poor))
        self._depth -= 1
        return answer

    def _place(self, thing: str) -> float:
        place = self._places.get(thing)
        if place is None:
            place = self._draws.random() * (EARLY_PLACES if self._is_early else 1.0)
            self._places[thing] = place
        return place

    def _hurt(self, service: Service, at_ns: int, operation: str) -> Mapping[str, float]:
        """How it shows that something hurts here; for slowness, the factor."""
        shows: dict[str, float] = {}
        for effect in self._traffic.effects.get(service.name, ()):
            fits = effect.tenant in (None, self._tenant) and effect.operation in (None, operation)
            fits = fits and effect.instance in (None, int(self._place(service.ref) * service.instances))
            if fits and effect.hurts(self._met, at_ns) and self._draws.random() < effect.share:
                shows[effect.shows] = effect.slower
        return shows

    def _ask_others(self, service: Service, own: Visit, parent: bytes) -> Visit:
        now, failed, poor = own
        for call in service.calls:
            if failed or self._draws.random() >= call.probability or not self._goes_on():
                continue
            answer = self._leave(service, call, now, parent) if call.queue else self._ask(service, call, now, parent)
            now, failed, poor = answer.end_ns, answer.failed, poor or answer.poor
        if service.provider and not failed:
            answer = self._ask_provider(service, now, parent)
            now, failed = answer.end_ns, answer.failed
        return Visit(now, failed, poor)

    def _goes_on(self) -> bool:
        return self._depth < MAX_DEPTH and self._visits < MAX_VISITS

    def _ask(self, service: Service, call: Call, at_ns: int, parent: bytes) -> Visit:
        answer = self._wait_for(service, call, at_ns, parent)
        if answer.failed and self._draws.random() < RETRIED and self._goes_on():
            answer = self._wait_for(service, call, answer.end_ns, parent)
        if answer.failed and call.optional:
            return answer._replace(failed=False, poor=True)
        return answer._replace(failed=answer.failed and self._draws.random() < FAILURE_SPREADS)

    def _wait_for(self, service: Service, call: Call, at_ns: int, parent: bytes) -> Visit:
        span_id = self._draws.randbytes(8)
        known, parent_id = self._trace_id, span_id if service.is_traced else parent
        if not service.is_traced and not service.passes_context:
            self._trace_id, parent_id = self._draws.randbytes(16), b""
        answer = self.visit(call.service, Arrival(at_ns + HOP_NS, parent_id))
        self._trace_id, end_ns = known, answer.end_ns + HOP_NS
        about = (("server.address", call.service),)
        self._add(service, _Told(span_id, parent, CLIENT, "request", at_ns, end_ns, answer.failed, about))
        return answer._replace(end_ns=end_ns)

    def _leave(self, service: Service, call: Call, at_ns: int, parent: bytes) -> Visit:
        """A message: nobody waits for it, and what becomes of it harms only those behind it."""
        span_id, end_ns = self._draws.randbytes(8), at_ns + HOP_NS
        self._add(service, _Told(span_id, parent, PRODUCER, "send", at_ns, end_ns, False, _message(call.queue, "send")))
        taken_ns = at_ns + int(self._draws.lognormal(QUEUE_MS, 0.8) * 1e6)
        left_in, self._trace_id = self._trace_id, self._draws.randbytes(16)
        link = None if self._traffic.telling.broken_queues else (left_in, span_id)
        self.visit(call.service, Arrival(taken_ns, topic=call.queue, link=link))
        self._trace_id = left_in
        return Visit(end_ns, failed=False, poor=False)

    def _ask_provider(self, service: Service, at_ns: int, parent: bytes) -> Visit:
        hurt = [one for one in self._traffic.effects.get(service.provider, ()) if one.hurts(self._met, at_ns)]
        shows = {one.shows: one.slower for one in hurt if self._draws.random() < one.share}
        end_ns = at_ns + int(self._draws.lognormal(PROVIDER_MS * shows.get(SLOW, 1.0), 0.3) * 1e6)
        failed = FAILS in shows
        about = (("server.address", service.provider), ("server.port", "443"))
        self._add(service, _Told(self._draws.randbytes(8), parent, CLIENT, "POST", at_ns, end_ns, failed, about))
        return Visit(end_ns, failed, poor=False)

    def _tell(self, service: Service, arrival: Arrival, span_id: bytes, operation: str, answer: Visit) -> None:
        about = _message(arrival.topic, "process") if arrival.topic else (("http.route", operation.split(" ")[1]),)
        stated, flags = self._stated(service, arrival.at_ns)
        about = (*about, *stated, *(((names.OUTCOME_BAD, True),) if answer.poor else ()))
        kind = CONSUMER if arrival.topic else SERVER
        own = _Told(span_id, arrival.parent, kind, operation, arrival.at_ns, answer.end_ns, answer.failed, about)
        self._add(service, own, flags, arrival.link)
        for read in service.reads:
            if read.shows == "table":
                end_ns = arrival.at_ns + HOP_NS
                query = (self._draws.randbytes(8), span_id, CLIENT, "SELECT", arrival.at_ns, end_ns, False)
                self._add(service, _Told(*query, _query(read.dataset)))

    def _stated(self, service: Service, at_ns: int) -> tuple[list[Attribute], tuple[tuple[str, str], ...]]:
        """References of what a service says that it met, and the flags that it evaluated."""
        world, shown = self._world, self._shown
        models = [f"{ref}@version:{shown(ref, at_ns)}" for ref in (world.models[name].ref for name in service.models)]
        inputs = [world.tables[read.dataset].ref for read in service.reads if read.shows == "snapshot"]
        snapshots = [f"{ref}@opaque:{shown(ref, at_ns)}" for ref in inputs]
        prompts = [f"{prompt_ref(name)}@version:{shown(prompt_ref(name), at_ns)}" for name in service.prompts]
        told = ((names.MODELS, models), (names.INPUTS, snapshots), (names.PROMPTS, prompts))
        stated: list[Attribute] = [(key, tuple(refs)) for key, refs in told if refs]
        return stated, tuple((name, shown(flag_ref(name), at_ns)) for name in service.flags)

    def _shown(self, thing: str, at_ns: int) -> str:
        return self._traffic.timelines.shown[thing].version(at_ns, self._place(thing))

    def _add(
        self,
        service: Service,
        told: _Told,
        flags: tuple[tuple[str, str], ...] = (),
        link: tuple[bytes, bytes] | None = None,
    ) -> None:
        if not service.is_traced:
            return
        number = int(self._place(service.ref) * service.instances)
        version = self._shown(service.ref, told.start_ns) if service.tells_version else ""
        emitter = Emitter(service.name, version, f"{service.name}-{number}")
        skew = self._traffic.telling.skew_ns.get(service.name, 0)
        span_id, parent, kind, operation, start_ns, end_ns, failed, about = told
        times = start_ns + skew, end_ns + skew
        identity = emitter, self._trace_id, span_id, parent, kind, operation
        self.rows.append(SpanRow(*identity, *times, failed, about, flags, link))


class _Told(NamedTuple):
    span_id: bytes
    parent: bytes
    kind: int
    operation: str
    start_ns: int
    end_ns: int
    failed: bool
    about: tuple[Attribute, ...] = ()


def _message(topic: str, verb: str) -> tuple[Attribute, ...]:
    return (
        ("messaging.system", "kafka"),
        ("messaging.destination.name", topic),
        ("messaging.operation.type", verb),
        ("server.address", "broker.internal"),
    )


def _query(table: str) -> tuple[Attribute, ...]:
    return (
        ("db.system.name", "postgresql"),
        ("db.operation.name", "SELECT"),
        ("db.collection.name", table.replace("/", "_")),
        ("db.namespace", "serving"),
        ("server.address", "db.internal"),
    )
