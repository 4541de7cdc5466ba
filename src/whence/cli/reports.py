"""Findings in the formats that CI systems show: SARIF 2.1.0, JUnit XML, and annotations of GitHub Actions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any
from xml.etree import ElementTree

from whence.wording import short

Item = Mapping[str, Any]

RULES = {
    "undeclared": "A dependency that production uses and no file declares.",
    "unexpected_version": "A version in use that no declaration expects.",
    "unused": "A declared dependency that nothing used.",
    "blind_spot": "A declared dependency that could not have been seen.",
}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def message(item: Item) -> str:
    """A finding as one sentence, the same in every run."""
    return f"{short(item['dependent'])} -> {short(item['dependency'])}: {item['sentence']}"


def shown(item: Item) -> str:
    """A finding as one sentence, and a trace to look at."""
    return f"{message(item)} (trace {item['traces'][0]})" if item["traces"] else message(item)


def sarif(items: Sequence[Item], known: Collection[str]) -> str:
    """All findings; what is suppressed or in the baseline is marked so."""
    driver = {
        "name": "whence",
        "version": version("whence"),
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in RULES.items()],
    }
    run = {"tool": {"driver": driver}, "results": [_result(one, known) for one in items]}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def junit(items: Sequence[Item], failing: Sequence[Item]) -> str:
    """One test case for each finding; those that do not fail the check are skipped ones."""
    skipped = len(items) - len(failing)
    counts = {"tests": str(len(items)), "failures": str(len(failing)), "skipped": str(skipped)}
    suite = ElementTree.Element("testsuite", {"name": "whence check", **counts})
    for one in items:
        case = ElementTree.SubElement(suite, "testcase", {"classname": one["status"], "name": message(one)})
        if one in failing:
            text = f"{one['file']}:{one['line']}"
            ElementTree.SubElement(case, "failure", {"message": shown(one), "type": one["status"]}).text = text
        else:
            ElementTree.SubElement(case, "skipped", {"message": one["level"]})
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def workflow_commands(items: Sequence[Item]) -> Iterator[str]:
    """Workflow commands of GitHub Actions."""
    for one in items:
        place = f"file={_escaped(one['file'], in_property=True)},line={one['line']}"
        yield f"::error {place},title=whence::{_escaped(shown(one))}"


def _result(item: Item, known: Collection[str]) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": item["file"]}, "region": {"startLine": item["line"]}}
    result: dict[str, Any] = {
        "ruleId": item["status"],
        "level": item["level"],
        "message": {"text": shown(item)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"whence/v1": item["fingerprint"]},
        "baselineState": "unchanged" if item["fingerprint"] in known else "new",
    }
    suppression = item["suppression"]
    if suppression is not None:
        reason = f"{suppression['reason']} ({suppression['owner']}, until {suppression['expires']})"
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    return result


def _escaped(text: str, *, in_property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text
