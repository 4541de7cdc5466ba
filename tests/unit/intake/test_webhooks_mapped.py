"""Alerts in a tool's own JSON, read as the operator says."""

from typing import Any

import pytest

from tests.webhook_payloads import NOW_NS, delivery
from whence.errors import InvalidQuery
from whence.intake.webhooks.mapped import AlertMapping
from whence.model.times import parse_time_ns

ZABBIX = {
    "alerts": "body.problems",
    "id": "alert.eventid",
    "status": 'alert.value == "1" ? "firing" : "resolved"',
    "title": "alert.name",
    "entity": "alert.host",
    "started_at": "alert.clock",
    "group": "body.trigger",
}
BODY = {
    "trigger": "t-9",
    "problems": [
        {"eventid": 17, "value": "1", "name": "Payments fail", "host": "checkout", "clock": 1_795_478_400},
        {"eventid": 18, "value": "0", "name": "Payments are slow", "clock": "2026-11-24T00:00:00Z"},
    ],
}
START_NS = parse_time_ns("2026-11-24T00:00:00Z", now_ns=0)


def test_alerts_of_one_delivery_are_read_by_their_expressions() -> None:
    receipt = AlertMapping("zabbix", ZABBIX).read(delivery(BODY))
    first, second = receipt.alerts
    assert (first.source, first.group, first.key, first.is_firing) == ("alert/zabbix", "t-9", "17", True)
    assert (first.title, first.names, first.started_ns) == ("Payments fail", ("checkout",), START_NS)
    assert (second.is_firing, second.names, second.started_ns, second.at_ns) == (False, (), START_NS, NOW_NS)
    assert receipt.event == "firing"


def test_body_is_the_alert_where_no_list_is_named() -> None:
    mapping = AlertMapping("own", {"id": "body.key", "status": '"firing"', "title": "alert.what"})
    (alert,) = mapping.read(delivery({"key": "k", "what": "slow"})).alerts
    assert (alert.key, alert.title, alert.started_ns) == ("k", "slow", NOW_NS)


@pytest.mark.parametrize("clock", [1_795_478_400_000, 1_795_478_400.0, "2026-11-24T00:00:00+00:00"])
def test_times_come_in_seconds_milliseconds_or_text(clock: object) -> None:
    body = {"trigger": "t", "problems": [BODY["problems"][0] | {"clock": clock}]}  # type: ignore[operator]
    assert AlertMapping("zabbix", ZABBIX).read(delivery(body)).alerts[0].started_ns == START_NS


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "alerts"),
        ({"problems": []}, "alerts"),
        ({"problems": {}}, "alerts"),
        ({"problems": [{"value": "1", "name": "a"}]}, "id"),
        ({"problems": [{"eventid": "1", "name": "a"}]}, "status"),
        ({"problems": [{"eventid": "1", "value": "1", "name": "a", "clock": 1e300}]}, "started_at"),
        ({"problems": [{"eventid": "1", "value": "1", "name": "a", "clock": True}]}, None),
        ({"problems": ["text"]}, "id"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(body: dict[str, Any], named: str | None) -> None:
    mapping = AlertMapping("zabbix", ZABBIX)
    if named is None:
        assert mapping.read(delivery(body)).alerts
    else:
        with pytest.raises(InvalidQuery, match=named):
            mapping.read(delivery(body))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"smell": "alert.a"}, "no field smell"),
        ({"id": "alert."}, "zabbix.id"),
        ({"id": "host.name"}, "unknown name host"),
    ],
)
def test_mapping_that_can_not_work_is_refused_at_once(changed: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        AlertMapping("zabbix", ZABBIX | changed)
    with pytest.raises(ValueError, match="title is missing"):
        AlertMapping("zabbix", {"id": "alert.id", "status": "alert.status"})
