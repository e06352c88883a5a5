"""Structured logs: one JSON line an event, and only fields that can never hold a customer's value."""

import logging
import logging.config
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# security.md L2: an allow-list. Whatever else a call passes is dropped, so a slip cannot leak.
ALLOWED_FIELDS = frozenset(
    [
        "event",
        "level",
        "logger",
        "timestamp",
        "request_id",
        "route",
        "method",
        "status",
        "ms",
        "user_id",
        "workspace_id",
        "face",
        "code",
        "sqlstate",
        "constraint",
        "error",
        "count",
        "operations",
        "slot",
        "reason",
        "port",
        "table",
        "partition",
        "exception_type",
    ]
)


def keep_allowed(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Drop every field that is not on the list."""
    return {key: value for key, value in event.items() if key in ALLOWED_FIELDS}


def name_exception(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace a traceback by the type of the exception: frames and messages can hold values."""
    info = event.pop("exc_info", None)
    if info:
        kind = info[0] if isinstance(info, tuple) else sys.exc_info()[0] if info is True else type(info)
        event["exception_type"] = getattr(kind, "__name__", "unknown")
    return event


class RouteOnlyFilter(logging.Filter):
    """Libraries put paths and messages of exceptions into their records; both can hold values of a customer."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place."""
        if record.name.startswith("django.request"):
            record.msg, record.args = "request failed with status %s", (getattr(record, "status_code", 0),)
        elif record.exc_info:
            record.msg, record.args = "exception", ()
        return not record.name.startswith("django.security")


_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    name_exception,
    keep_allowed,
]


def configure() -> None:
    """Send our logs and those of libraries through one renderer to standard error."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"route_only": {"()": RouteOnlyFilter}},
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": _SHARED,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        keep_allowed,
                        structlog.processors.JSONRenderer(),
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["route_only"]}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {"rolodesk": {"level": "INFO"}, "axes": {"level": "ERROR"}},
        }
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
