"""The status page as the runtime sees it: made from the configuration, fed and served."""

from collections.abc import Callable
from pathlib import Path

from edgeasr.assistant import Assistant
from edgeasr.audio import Pcm
from edgeasr.commands import Command
from edgeasr.config import Config
from edgeasr.config_file import read_secret
from edgeasr.daemon import Daemon
from edgeasr.events import Event
from edgeasr.http_board import Board
from edgeasr.http_feed import PageFeed
from edgeasr.http_server import PageServer
from edgeasr.loading import Models
from edgeasr.watch import Watch

__all__ = ["StatusPage"]


class StatusPage:
    """Feed, board and server. Without `http.listen` all of it does nothing."""

    def __init__(
        self,
        config: Config,
        submit: Callable[[Command], None],
        *,
        assistant: Assistant,
        models: Models,
        daemon: Daemon,
        watch: Watch,
    ) -> None:
        """Bind to the configured address; `submit` takes checked commands from any thread.

        Raises ConfigError when the address or the token file can not be used.
        """
        self._feed: PageFeed | None = None
        self._server: PageServer | None = None
        if not config.http.listen:
            return
        token = None
        if config.http.token_file:
            path = Path(config.http.token_file).expanduser()
            token = read_secret(path, key="http.token_file")
        board = Board()
        feed = PageFeed(
            board, config.site.name, assistant=assistant, models=models, daemon=daemon, watch=watch
        )
        self._feed = feed
        self._server = PageServer(
            config.http.listen,
            board,
            token=token,
            command=lambda name, body: submit(feed.command(name, body)),
        )

    def hear(self, pcm: Pcm) -> None:
        """Take int16 [n] that the assistant is about to hear. In the worker."""
        if self._feed is not None:
            self._feed.hear(pcm)

    def event(self, event: Event) -> None:
        """Take an event. In the worker."""
        if self._feed is not None:
            self._feed.event(event)

    def tick(self, broker: str) -> None:
        """Show the state when that is due; `broker` is its state in words. In the worker."""
        if self._feed is not None:
            self._feed.tick(broker)

    def run(self) -> None:
        """Serve until `stop`; the body of the page's thread."""
        if self._server is not None:
            self._server.run()

    def stop(self) -> None:
        """Let `run` return soon."""
        if self._server is not None:
            self._server.stop()
