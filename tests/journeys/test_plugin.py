"""`JourneyPlugin` is the whole set-up, for client, worker and replayer."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError
from temporalio.converter import PayloadCodec
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Replayer, Worker

from tabiji import JourneyPlugin
from tabiji.errors import Busy, UnknownContact
from tabiji.testing import dev_server
from tests.journeys.probe import Asks

SECRET = "maria@example.com"


@activity.defn(name="ask")
async def asked(what: str) -> str:
    match what:
        case "gone":
            raise UnknownContact("c1")
        case "busy" if activity.info().attempt == 1:
            raise Busy("somebody is at it", retry_after=timedelta(milliseconds=10))
        case "leak":
            raise ValueError(f"bad row: {SECRET}")
        case _:
            return f"answered on attempt {activity.info().attempt}"


class Scrambled(PayloadCodec):
    """Stands in for encryption: nothing readable may be left."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/scrambled"}, data=base64.b64encode(one.SerializeToString())[::-1])
            for one in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(base64.b64decode(one.data[::-1])) for one in payloads]


async def ask(client: Client, what: str) -> str:
    async with Worker(client, task_queue="probe", workflows=[Asks]):
        return await client.execute_workflow(Asks.run, what, id=f"ask-{what}", task_queue="probe")


async def failure(client: Client, what: str) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as caught:
        await ask(client, what)
    assert isinstance(caught.value.cause, ActivityError)
    assert isinstance(caught.value.cause.cause, ApplicationError)
    return caught.value.cause.cause


async def test_our_errors_keep_code_and_patience_and_others_keep_their_words_to_themselves() -> None:
    async with dev_server(JourneyPlugin(activities=[asked])) as temporal:
        gone = await failure(temporal.client, "gone")
        assert (gone.type, gone.non_retryable) == ("unknown_contact", True)

        assert await ask(temporal.client, "busy") == "answered on attempt 2"

        leak = await failure(temporal.client, "leak")
        assert leak.type == "ValueError"
        history = await temporal.client.get_workflow_handle("ask-leak").fetch_history()
        assert SECRET not in history.to_json()


async def test_a_codec_covers_what_client_worker_and_replayer_write_and_read() -> None:
    plugin = JourneyPlugin(activities=[asked], payload_codec=Scrambled())
    async with dev_server(plugin) as temporal:
        assert await ask(temporal.client, SECRET) == "answered on attempt 1"
        history = await temporal.client.get_workflow_handle(f"ask-{SECRET}").fetch_history()
        payload = history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
        assert SECRET.encode() not in payload.SerializeToString()

        await Replayer(workflows=[Asks], plugins=[plugin]).replay_workflow(history)
