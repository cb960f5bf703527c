"""A terminal of its own for a full-screen program: a private tmux server, typed into and read by the test."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 200, 120


class Terminal:
    """One program in one tmux window of WIDTH by HEIGHT cells."""

    def __init__(self) -> None:
        # A socket's path must be short, and pytest's folders are not.
        self._socket_folder = tempfile.mkdtemp(prefix="tmux")

    async def run(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `command`; it sees only what `environment` adds to ours."""
        size = ("-x", str(WIDTH), "-y", str(HEIGHT))
        assignments = [f"{name}={value}" for name, value in environment.items()]
        await self._tmux("-f", os.devnull, "new-session", "-d", *size, "env", *assignments, *command)

    async def types(self, line: str) -> None:
        """Type a line and press Enter."""
        await self._tmux("send-keys", "-l", "--", line, ";", "send-keys", "Enter")

    async def screen(self) -> str:
        """The lines on the screen, without the empty ones."""
        text = await self._tmux("capture-pane", "-p")
        return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())

    async def close(self) -> None:
        """Kill the program and the tmux server."""
        await self._tmux("kill-server", check=False)
        shutil.rmtree(self._socket_folder, ignore_errors=True)

    async def _tmux(self, *arguments: str, check: bool = True) -> str:
        command = ("tmux", "-u", "-S", f"{self._socket_folder}/s", *arguments)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        out, err = await process.communicate()
        if check and process.returncode:
            raise RuntimeError(f"{' '.join(command)}: {err.decode()}")
        return out.decode()
