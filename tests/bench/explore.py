"""Frames of a large graph in a real browser: ``python -m tests.bench.explore --nodes 2000``.

Serves whence on a store with a graph of two levels, opens its page in headless Chromium, drags and turns the wheel, and
prints what the browser's own timeline says of the frames. The bar is thirty frames a second. Beside it: how heavy the
first page is and when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.whence_server import running_whence
from whence.model.delta import Entity, GraphDelta, Relation, RelationKey
from whence.model.kinds import EntityKind, RelationType
from whence.store.embedded import EmbeddedStore

ROOT = "otel://bench#entry"
FAN_OUT = 39
STEPS = 90
_FRAMES = """() => {
  window.frames_at = [];
  const tick = (at) => { window.frames_at.push(at); window.ticking = requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""
_READY = """() => ({
  bytes: performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize,
    performance.getEntriesByType('navigation')[0].transferSize),
  ready_ms: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
})"""


def graph(nodes: int) -> GraphDelta:
    """Services in two levels below the entry, each leaf called by two."""
    now = time.time_ns()
    middle = [f"otel://bench#middle-{at}" for at in range(FAN_OUT)]
    leaves = [f"otel://bench#leaf-{at}" for at in range(nodes - FAN_OUT - 1)]
    calls = [(ROOT, name) for name in middle]
    calls += [(middle[(at + step) % FAN_OUT], leaf) for at, leaf in enumerate(leaves) for step in (0, 1)]
    keys = [RelationKey(src, RelationType.CALLS, dst, "production") for src, dst in calls]
    return GraphDelta(
        entities={key: Entity(key, EntityKind.SERVICE, key, now, now) for key in (ROOT, *middle, *leaves)},
        relations={key: Relation(key, now, now, now, now) for key in keys},
    )


async def _fill(path: Path, nodes: int) -> None:
    store = EmbeddedStore(path)
    await store.open()
    await store.upsert(graph(nodes))
    await store.close()


def drive(page: Page) -> list[float]:
    """Milliseconds of each frame while somebody drags and turns the wheel."""
    box = page.locator("canvas.graph").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + min(box["height"], 400) / 2
    page.evaluate(_FRAMES)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(STEPS):
        page.mouse.move(x + step, y + step / 2)
    page.mouse.up()
    for step in range(STEPS):
        page.mouse.wheel(0, -40 if step % 60 < 40 else 80)
    at: list[float] = page.evaluate("window.frames_at")
    return [later - earlier for earlier, later in zip(at, at[1:], strict=False)]


def report(frames: list[float], first: dict[str, Any]) -> str:
    """What was seen, in words."""
    ordered = sorted(frames)
    typical, slow = (ordered[int(len(ordered) * share)] for share in (0.5, 0.95))
    return (
        f"{len(frames)} frames: {1000 / typical:.0f} a second typically, {1000 / slow:.0f} in the slowest twentieth, "
        f"{ordered[-1]:.0f} ms the longest\n"
        f"first page: {first['bytes'] / 1000:.0f} kB, ready after {first['ready_ms']:.0f} ms"
    )


def filled(folder: Path, nodes: int) -> Path:
    """A data directory whose store holds the graph."""
    folder.mkdir()
    asyncio.run(_fill(folder / "whence.db", nodes))
    return folder


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=2_000)
    nodes = parser.parse_args().nodes
    path = os.environ.get("WHENCE_TEST_CHROMIUM") or shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory(prefix="whence-explore-") as folder,
        running_whence(filled(Path(folder) / "data", nodes)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(server.api)
        first = page.evaluate(_READY)
        page.goto(f"{server.api}/explore?entity={ROOT.replace('#', '%23')}")
        print(page.locator(".moves").inner_text().partition("·")[0])
        print(report(drive(page), first))
        browser.close()


if __name__ == "__main__":
    main()
