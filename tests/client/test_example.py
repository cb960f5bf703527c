"""docs/examples/sensor.py runs as it says."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from tests.client.people import within
from tests.kit.world import World, a_world

SENSOR = Path(__file__).parents[2] / "docs" / "examples" / "sensor.py"


async def started(world: World, *arguments: str) -> asyncio.subprocess.Process:
    """One end of it, in a process of its own."""
    certificate = world.host.house.data_dir / "certificates" / "localhost.pem"
    where = ("--host", "127.0.0.1", "--port", str(world.server.port), "--trust", str(certificate))
    return await asyncio.create_subprocess_exec(
        sys.executable, str(SENSOR), *arguments, *where, stdout=asyncio.subprocess.PIPE
    )


async def test_a_sensor_is_listened_to() -> None:
    async with a_world(modules={"ping": {}, "disco": {}, "xmppd.extensions.data_channels": {}}) as world:
        await world.account("sensor")
        await world.account("me")
        sensor = await started(world, "serve", "sensor@localhost/lab", "sensor")
        try:
            assert sensor.stdout is not None
            assert await within(sensor.stdout.readline()) == b"serving as sensor@localhost/lab\n"
            me = await started(world, "listen", "me@localhost", "me", "sensor@localhost/lab", "--count", "7")
            printed, _ = await within(me.communicate())
            assert me.returncode == 0
            assert len(re.findall(rb"^\d+\.\d \d+\.\d\d\n", printed, re.MULTILINE)) == 7
        finally:
            sensor.kill()
            await sensor.communicate()
