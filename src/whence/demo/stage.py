"""One demo from start to end: start whence and the shop, ship, notice, ask, judge, clean up."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whence.demo.judge import is_right
from whence.demo.plan import FEATURES, Act, Plan, Scenario, Step, Truth
from whence.demo.processes import Fleet, ProcessFailed, uninterrupted
from whence.demo.report import Screen
from whence.demo.server import Server
from whence.demo.shop import Shop
from whence.demo.traffic import Symptom, Traffic

_QUIET_SECONDS = 4.0
"""Traffic before the first change, so that there is something to compare with."""
_GAP_SECONDS = 1.0
_NOTICE_SECONDS = 40.0
"""So long the demo waits for a symptom after the last step."""
_RIPEN_SECONDS = 6.0
"""From noticing to the alert; in life this is the time for which an alert has to hold before it is sent."""
_POLL_SECONDS = 0.2


class Stage:
    """All that runs during a demo; leaving it stops every process and removes every file."""

    def __init__(self, plan: Plan, screen: Screen, store: str) -> None:
        self.plan = plan
        self._screen = screen
        self._store = store
        self._leaving = ExitStack()
        self._shipped: list[dict[str, Any]] = []

    def __enter__(self) -> Stage:
        try:
            self._start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._leave()

    def _start(self) -> None:
        self._screen.say(f"scenario {self.plan.scenario}, seed {self.plan.seed}: starting whence and the shop")
        folder = Path(self._leaving.enter_context(tempfile.TemporaryDirectory(prefix="whence-demo-")))
        fleet = Fleet(folder / "logs")
        self._leaving.callback(fleet.close)
        self.server = Server(fleet, folder / "whence", self._store)
        self._leaving.callback(self.server.close)
        self.shop = Shop(folder, fleet, self.server, self.plan)
        self.server.wait()
        self.shop.open()
        self.traffic = Traffic(lambda: self.shop.storefront, self.plan.seed)
        self._leaving.callback(self.traffic.close)
        self.traffic.open()

    def _leave(self) -> None:
        with uninterrupted():
            self._screen.say("cleaning up")
            self._leaving.close()

    def play(self) -> dict[str, Any]:
        """Ship, notice, ask, judge; gives back all of it, ready for JSON.

        Raises:
            ProcessFailed: A process broke down, or nothing that was shipped did harm.
        """
        self._screen.say("the shop is open")
        time.sleep(_QUIET_SECONDS)
        symptom = self._ship_until_noticed()
        detected_at = datetime.now(UTC)
        self._screen.say(f"somebody noticed: {symptom.signal} in {symptom.share:.0%} of {symptom.operation}")
        time.sleep(_RIPEN_SECONDS)
        self._screen.say("an alert opens an incident")
        page = self.server.alert(symptom, detected_at)
        answer = self.server.answer(page)
        truth = self._truth()
        return {
            "scenario": self.plan.scenario.value,
            "seed": self.plan.seed,
            "right": is_right(truth, answer),
            "truth": [{"subject": subject, "version": version} for subject, version in truth.any_of],
            "symptom": symptom._asdict(),
            "shipped": self._shipped,
            "seconds": round(self._screen.seconds, 1),
            "url": self.server.url,
            "incident": page,
            "answer": answer,
        }

    def _ship_until_noticed(self) -> Symptom:
        for number, step in enumerate(self.plan.steps, start=1):
            self._ship(step, f"chg-{number}")
            time.sleep(_GAP_SECONDS)
            symptom = self.traffic.symptom()
            if symptom is not None:
                return symptom
        deadline = time.monotonic() + _NOTICE_SECONDS
        while time.monotonic() < deadline:
            symptom = self.traffic.symptom()
            if symptom is not None:
                return symptom
            time.sleep(_POLL_SECONDS)
        raise ProcessFailed("nobody noticed anything: nothing that was shipped did harm")

    def _ship(self, step: Step, change_id: str) -> None:
        if step.after:
            how = "reported" if step.announced else "not reported"
            self._screen.say(f"{step.act}: {step.subject} {step.before} → {step.after} ({how})")
            shipped = {"subject": step.subject, "from": step.before, "to": step.after, "id": None}
            if step.announced:
                self.server.announce(step, change_id)
                shipped["id"] = change_id
            self._shipped.append(shipped | {"at": datetime.now(UTC).isoformat()})
        self.shop.ship(step)

    def _truth(self) -> Truth:
        """The plan's truth; a snapshot's name is known only once the refresh job made it."""
        truth = self.plan.truth
        if self.plan.scenario is not Scenario.DATA:
            return truth
        orders = next(step.after for step in self.plan.steps if step.act is Act.EXPORT and step.flavour)
        first = (FEATURES, self.shop.files.first_snapshot_of(orders))
        return replace(truth, any_of=(*truth.any_of, first))
