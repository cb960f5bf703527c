"""Redis pub/sub: redis-server from Debian's package, redis-py's asyncio client."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from tests.bench.bus.process import Process
from tests.bench.bus.ways import Applied, Way

_CHANNEL = "cache"


class RedisPubSub(Way):
    """Nothing is saved to disk: pub/sub keeps nothing in any case."""

    title = "Redis pub/sub"
    promises = "at most once: who is away misses it and is not told"

    def __init__(self, folder: Path, applied: Applied) -> None:
        super().__init__(folder, applied)
        self._server = Process(folder)
        self._clients: list[Redis] = []
        self._subscriptions: list[PubSub] = []
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def missing(cls) -> str | None:
        return None if shutil.which("redis-server") else "redis-server is not installed"

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self, members: int) -> None:
        port = str(self._server.port)
        self._server.start(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])

    async def enter(self, members: int) -> None:
        for number in range(members):
            client: Redis = Redis(host="127.0.0.1", port=self._server.port, decode_responses=True)
            subscription = client.pubsub(ignore_subscribe_messages=True)
            await subscription.subscribe(_CHANNEL)
            self.caches.append({})
            self._clients.append(client)
            self._subscriptions.append(subscription)
            self._tasks.append(asyncio.create_task(self._listen(number, subscription)))

    async def _listen(self, number: int, subscription: PubSub) -> None:
        async for message in subscription.listen():
            self.drop(number, message["data"])

    async def publish(self, member: int, key: str) -> None:
        await self._clients[member].publish(_CHANNEL, key)

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for subscription in self._subscriptions:
            await subscription.aclose()  # type: ignore[no-untyped-call]
        for client in self._clients:
            await client.aclose()

    def stop(self) -> None:
        self._server.stop()
