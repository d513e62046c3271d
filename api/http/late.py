"""An application that is made when it is first asked: a worker that nobody asks for layers starts without."""

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send


class Late:
    """Stands for an application until somebody asks it.

    Parameters
    ----------
    make : callable
        Makes the application; called once, in a thread, while the worker goes on answering others.
        When it fails the next request tries again.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._app is None:
            async with self._making:
                if self._app is None:
                    self._app = await run_in_threadpool(self._make)
        await self._app(scope, receive, send)
