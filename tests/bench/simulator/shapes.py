"""Call graphs: layers, a hub that everybody needs, circles, queues, and worlds of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from tests.bench.simulator.draws import Draws, Namer
from tests.bench.simulator.world import Call, Service

MAX_FAN_OUT = 3
_ROUTES = ("GET /", "GET /{id}", "POST /", "PUT /{id}", "GET /list")


def layered(draws: Draws, namer: Namer, size: int) -> list[list[Service]]:
    """Layers of services, each calling a few of the next one; the first layer is where requests come in."""
    depth = draws.randint(3, 5)
    widths = [draws.randint(1, 2), *(max(2, (size - 2) // (depth - 1)) for _ in range(depth - 1))]
    layers = [[_service(draws, namer) for _ in range(width)] for width in widths]
    for upper, lower in zip(layers, layers[1:], strict=False):
        for service in upper:
            for callee in draws.sample(lower, min(len(lower), draws.randint(1, MAX_FAN_OUT))):
                service.calls.append(_call(draws, callee))
    return layers


def hub(draws: Draws, namer: Namer, size: int) -> list[list[Service]]:
    """Layers in which nearly everybody asks one service, too."""
    layers = layered(draws, namer, size)
    centre = _service(draws, namer)
    for service in (service for layer in layers for service in layer):
        if draws.chance(0.7):
            service.calls.append(Call(centre.name, draws.uniform(0.3, 0.7)))
    return [*layers, [centre]]


def circles(draws: Draws, namer: Namer, size: int) -> list[list[Service]]:
    """Layers in which some services ask back."""
    layers = layered(draws, namer, size)
    for upper, lower in zip(layers[1:], layers[2:], strict=False):
        service = draws.choice(lower)
        service.calls.append(Call(draws.choice(upper).name, draws.uniform(0.1, 0.3)))
    return layers


def queues(draws: Draws, namer: Namer, size: int) -> list[list[Service]]:
    """Layers in which much is left in queues for others to take up."""
    layers = layered(draws, namer, size)
    for service in (service for layer in layers[1:] for service in layer):
        service.calls = [replace_queue(call, namer.word()) if draws.chance(0.5) else call for call in service.calls]
    return layers


def replace_queue(call: Call, topic: str) -> Call:
    """The same call as a message."""
    return call._replace(queue=topic, optional=True)


SHAPES: Mapping[str, Callable[[Draws, Namer, int], list[list[Service]]]] = MappingProxyType(
    {"layers": layered, "hub": hub, "circles": circles, "queues": queues}
)


def build(shape: str, draws: Draws, namer: Namer, size: int) -> Sequence[Sequence[Service]]:
    """A call graph of about so many services, layer by layer."""
    return SHAPES[shape](draws, namer, size)


def _service(draws: Draws, namer: Namer) -> Service:
    return Service(
        name=namer.word(),
        operations=tuple(draws.sample(_ROUTES, draws.randint(1, 3))),
        own_ms=draws.log_uniform(1, 40),
        error_rate=draws.log_uniform(0.0005, 0.01),
        instances=draws.randint(2, 6),
    )


def _call(draws: Draws, callee: Service) -> Call:
    probability = 1.0 if draws.chance(0.3) else draws.uniform(0.15, 0.8)
    return Call(callee.name, probability, optional=draws.chance(0.25))
