"""``run_demo``: the command behind ``whence demo``, from its arguments to its exit status."""

from __future__ import annotations

import signal
import sys
import time
from importlib.util import find_spec
from random import Random
from types import FrameType
from typing import Any, NoReturn

import httpx

from whence.demo.plan import Scenario, make_plan
from whence.demo.processes import ProcessFailed
from whence.demo.report import Screen
from whence.demo.stage import Stage

RIGHT, WRONG, USAGE, BROKEN, INTERRUPTED = 0, 1, 2, 5, 130
_NEEDS = ("fastapi", "sklearn", "opentelemetry.instrumentation.fastapi", "opentelemetry.instrumentation.httpx")


def run_demo(
    *,
    scenario: str | None = None,
    seed: int | None = None,
    keep: bool = False,
    json_output: bool = False,
    store: str = "",
) -> int:
    """Run a scenario and print what whence makes of it. Takes about a minute; call it from the main thread.

    Args:
        scenario: code, model, data, combination, stale or none; None picks one.
        seed: Decides over order, versions, data and traffic; None picks one.
        keep: Leave everything running after the answer, until Ctrl-C.
        json_output: Print one JSON object instead of a page.
        store: ``WHENCE_STORE`` of the server; empty keeps everything in a temporary directory.

    Returns:
        Exit status: 0 right answer, 1 wrong answer, 2 no such scenario or packages missing, 5 the demo could not run,
        130 interrupted before the answer.
    """
    problem = _problem(scenario)
    if problem:
        return _fail(USAGE, problem)
    seed = Random().randrange(1000) if seed is None else seed  # noqa: S311 - picks an example
    chosen = Random(seed).choice(list(Scenario)) if scenario is None else Scenario(scenario)  # noqa: S311
    previous = signal.signal(signal.SIGTERM, _interrupt)
    screen = Screen(as_json=json_output)
    result: dict[str, Any] = {}
    try:
        with screen, Stage(make_plan(chosen, seed), screen, store) as stage:
            result = stage.play()
            screen.show(result)
            if keep:
                screen.say(f"everything keeps running: look at {result['incident']}, end it with Ctrl-C")
                _wait_for_ever()
    except KeyboardInterrupt:
        if not result:
            return INTERRUPTED
    except (ProcessFailed, httpx.HTTPError, FileNotFoundError) as error:
        return _fail(BROKEN, f"the demo could not run: {error}")
    finally:
        signal.signal(signal.SIGTERM, previous)
    return RIGHT if result["right"] else WRONG


def _problem(scenario: str | None) -> str:
    """Why it makes no sense to start, or nothing."""
    if scenario is not None and scenario not in list(Scenario):
        return f"there is no scenario {scenario!r}; choose one of {', '.join(Scenario)}"
    missing = [name for name in _NEEDS if not _is_installed(name)]
    return f"the shop needs {', '.join(missing)}: pip install 'whence[demo]'" if missing else ""


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of a parent package
        return False


def _fail(status: int, message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return status


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """A request to stop is as good as Ctrl-C: leave in order."""
    raise KeyboardInterrupt


def _wait_for_ever() -> NoReturn:
    while True:
        time.sleep(3600)
