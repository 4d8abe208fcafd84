"""The live feed's door: a WebSocket that tells what happens, and listens to nothing."""

from __future__ import annotations

from contextlib import suppress

import anyio
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from retail_datagen.service.core import Asked
from retail_datagen.service.live import TOPICS, Client

router = APIRouter()
_TRY_AGAIN_LATER, _POLICY = 1013, 1008


@router.websocket("/ws/live")
async def live(socket: WebSocket, service: Asked, topics: str = ",".join(TOPICS)) -> None:
    """Messages are JSON objects with a `type`. `topics` chooses some, separated by commas."""
    chosen = {topic.strip() for topic in topics.split(",") if topic.strip()}
    if unknown := chosen - set(TOPICS):
        await socket.accept()
        listed = ", ".join(TOPICS)
        await socket.close(_POLICY, f"topics: {min(unknown)[:20]!a} is none of {listed}"[:120])
        return
    client = service.hub.join(chosen)
    await socket.accept()
    if client is None:
        await socket.close(_TRY_AGAIN_LATER, "too many clients listen")
        return
    try:
        await socket.send_json({"type": "hello", "topics": sorted(chosen)})
        await _serve(socket, client, service.settings.limits.live_send_seconds)
    finally:
        service.hub.leave(client)


async def _serve(socket: WebSocket, client: Client, patience: float) -> None:
    """Until either side has gone."""
    async with anyio.create_task_group() as both:

        async def send() -> None:
            await _send(socket, client, patience)
            both.cancel_scope.cancel()

        both.start_soon(send)
        await _receive(socket)
        both.cancel_scope.cancel()


async def _send(socket: WebSocket, client: Client, patience: float) -> None:
    with suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
        while True:
            text = await client.next()
            with anyio.fail_after(patience):
                await socket.send_text(text)


async def _receive(socket: WebSocket) -> None:
    """What clients send is not for us, but that they have gone is."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
