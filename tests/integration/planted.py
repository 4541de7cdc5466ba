"""A shop whose spans and lineage events hold things that its declarations don't: readers, a use, a slow refresh.

Everything comes in as it would: spans are folded, lineage events read. ``DECLARED`` is what its teams say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from whence.fold import SpanFolder
from whence.intake.openlineage import event_delta
from whence.model.delta import GraphDelta, merge_all
from whence.model.spans import NO_FACTS, Facts, Span, SpanKind
from whence.model.times import NS_PER_SECOND, format_time
from whence.testing.spans import START_NS, span

HOUR_NS = 3_600 * NS_PER_SECOND
NOW_NS = START_NS + HOUR_NS

STOREFRONT, RANKING, PAYMENT, CREDIT, REPORTS = (
    f"otel://shop#{name}" for name in ("storefront", "ranking", "payment", "credit", "reports")
)
DATABASE = "postgres://db:5432"
CLICKS, CUSTOMERS, DEMOGRAPHICS = (f"{DATABASE}#shop.public.{name}" for name in ("clicks", "customers", "demographics"))
MODELS = "mlflow+https://mlflow.acme.dev"
RANKER, SCORER = f"{MODELS}#ranker", f"{MODELS}#scorer"
STRIPE = "net://#api.stripe.com:443"
TRACES = 20

DECLARED = """\
whence: 1
things:
  - name: storefront
    owner: team-shop
    calls: [ranking, {name: payment, versions: [v2]}, credit, search]
  - name: ranking
    owner: team-ranking
    uses_models: [ranker]
    reads: [clicks]
  - name: payment
    owner: team-pay
    may_call: [api.stripe.com]
  - name: credit
    owner: team-credit
    purposes: [credit_decision]
    uses_models: [scorer]
  - {name: reports, owner: team-reports, calls: [mailer]}
  - {name: demographics, kind: dataset, owner: team-data, labels: [demographics]}
  - {name: clicks, kind: dataset, owner: team-data}
  - {name: customers, kind: dataset, owner: team-crm}
"""
"""``reports`` reads customers, ``payment`` calls Stripe, and neither says so; nobody calls ``search``."""


def planted() -> GraphDelta:
    """All that is observed."""
    return merge_all([_folded(), *(event_delta(event, now_ns=NOW_NS) for event in _events())])


def _folded() -> GraphDelta:
    folder = SpanFolder(writer="w", idle_ns=5 * NS_PER_SECOND, ttl_ns=60 * NS_PER_SECOND, max_open_spans=100_000)
    folder.push([one for trace in range(1, TRACES + 1) for one in _trace(trace)], NOW_NS)
    folder.expire(NOW_NS + HOUR_NS)
    return folder.drain(NOW_NS + HOUR_NS)


def _trace(trace: int) -> Iterator[Span]:
    root = span(1, trace=trace, service="storefront", at_ms=trace * 1_000, millis=100)
    yield root
    calls = (
        ("ranking", "v7", Facts(models=(f"{RANKER}@version:42",), inputs=(f"{CLICKS}@opaque:11-21",))),
        ("payment", "v1" if trace <= TRACES // 2 else "v2", NO_FACTS),
        ("credit", "v3", Facts(models=(f"{SCORER}@version:5",))),
    )
    for number, (service, version, facts) in enumerate(calls, start=1):
        begins = trace * 1_000 + 10 * number
        asks = span(10 * number, root, trace=trace, service="storefront", kind=SpanKind.CLIENT, at_ms=begins, millis=9)
        yield asks
        yield span(
            10 * number + 1, asks, trace=trace, service=service, version=version, at_ms=begins, millis=8, facts=facts
        )
    provider = Facts(peer=STRIPE)
    payment = {"service": "payment", "version": "v1" if trace <= TRACES // 2 else "v2"}
    yield span(22, 21, trace=trace, kind=SpanKind.CLIENT, at_ms=trace * 1_000 + 21, millis=5, facts=provider, **payment)  # type: ignore[arg-type]
    reads = Facts(inputs=(CUSTOMERS,))
    yield span(50, trace=1_000 + trace, service="reports", kind=SpanKind.CLIENT, at_ms=trace * 1_000, facts=reads)


def _events() -> Iterator[dict[str, Any]]:
    """Training of both models, and refreshes of clicks: every ten minutes, and then one that took forty."""
    yield _run(1, "train-ranker", START_NS - HOUR_NS, [(CLICKS, "11-20")], (RANKER, "42", "MODEL"))
    yield _run(2, "train-scorer", START_NS - HOUR_NS, [(DEMOGRAPHICS, "11-01")], (SCORER, "5", "MODEL"))
    for number, minute in enumerate((-120, -110, -100, -90, -80, -40), start=3):
        yield _run(number, "load-clicks", START_NS + minute * 60 * NS_PER_SECOND, [], (CLICKS, f"r{number}", "TABLE"))


def _run(
    number: int, job: str, at_ns: int, inputs: list[tuple[str, str]], output: tuple[str, str, str]
) -> dict[str, Any]:
    key, version, kind = output
    return {
        "eventTime": format_time(at_ns),
        "eventType": "COMPLETE",
        "run": {"runId": str(UUID(int=number))},
        "job": {"namespace": "jobs", "name": job},
        "inputs": [_dataset(one, at, "TABLE") for one, at in inputs],
        "outputs": [_dataset(key, version, kind)],
    }


def _dataset(key: str, version: str, kind: str) -> dict[str, Any]:
    namespace, _, name = key.partition("#")
    facets = {"version": {"datasetVersion": version}, "datasetType": {"datasetType": kind}}
    return {"namespace": namespace, "name": name, "facets": facets}
