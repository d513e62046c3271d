"""Structured logs: one JSON object per line on standard error, never a key or a password."""

import logging
import re
import sys
from typing import Any

import orjson
import structlog

_SECRET = re.compile(r"(wanmi_[0-9a-f]{12}_)[A-Za-z0-9_-]{43}|(://[^:/@\s]*:)[^@\s]+(?=@)")


def redact(text: str) -> str:
    """Return a text with API keys and passwords of URLs blotted out.

    Examples
    --------
    >>> redact("postgresql://wanmi:hunter2@db/wanmi")
    'postgresql://wanmi:***@db/wanmi'
    """
    return _SECRET.sub(lambda found: f"{found[1] or found[2]}***", text)


def _redact_event(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {
        name: redact(value) if isinstance(value, str) else value for name, value in event.items()
    }


def _dumps(event: Any, default: Any) -> str:
    return orjson.dumps(event, default=default).decode()


def configure_logs(level: str) -> None:
    """Send this process's logs, those of libraries too, to standard error as JSON lines.

    Parameters
    ----------
    level : str
        DEBUG, INFO, WARNING or ERROR.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _redact_event,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries are heard from warnings on: their chatter at INFO is not ours.
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
