"""The queues of what goes out: in order, bounded, and apart for each address."""

from __future__ import annotations

import asyncio

from whence.api.outbox import MOST_WAITING, TRIES, NotTold, Outbox


async def test_messages_to_one_address_go_out_in_order() -> None:
    outbox, sent = Outbox(), []

    def message(number: int) -> None:
        async def send() -> None:
            await asyncio.sleep(0)
            sent.append(number)

        outbox.put("webhook", "one", send)

    for number in range(20):
        message(number)
    await outbox.drained()
    assert sent == list(range(20))
    assert outbox.counts == {("webhook", "sent"): 20}


async def test_address_that_hangs_holds_up_no_other_and_the_oldest_that_wait_are_dropped() -> None:
    outbox, held, passed, sent = Outbox(), asyncio.Event(), asyncio.Event(), []

    async def hang() -> None:
        await held.wait()
        sent.append("slow")

    async def pass_on() -> None:
        passed.set()

    outbox.put("webhook", "slow", hang)
    await asyncio.sleep(0)
    for _ in range(MOST_WAITING + 5):
        outbox.put("webhook", "slow", hang)
    outbox.put("slack", "fast", pass_on)
    await passed.wait()
    held.set()
    await outbox.drained()
    assert sent.count("slow") == MOST_WAITING + 1
    assert outbox.counts["webhook", "dropped"] == 5
    assert (outbox.counts["webhook", "sent"], outbox.counts["slack", "sent"]) == (MOST_WAITING + 1, 1)


async def test_what_may_pass_is_tried_again_and_what_may_not_is_not() -> None:
    outbox, tries = Outbox(), {True: 0, False: 0}

    def failing(*, retryable: bool) -> None:
        async def send() -> None:
            tries[retryable] += 1
            raise NotTold("HTTP 503", retryable=retryable)

        outbox.put("webhook", str(retryable), send)

    failing(retryable=True)
    failing(retryable=False)
    await outbox.drained()
    assert tries == {True: TRIES, False: 1}
    assert outbox.counts == {("webhook", "failed"): 2}


async def test_answer_that_is_no_answer_is_a_failure_and_the_next_is_sent() -> None:
    outbox, sent = Outbox(), []

    async def nonsense() -> None:
        raise KeyError("id")

    async def good() -> None:
        sent.append("good")

    outbox.put("grafana", "one", nonsense)
    outbox.put("grafana", "one", good)
    await outbox.drained()
    assert (sent, outbox.counts) == (["good"], {("grafana", "failed"): 1, ("grafana", "sent"): 1})
