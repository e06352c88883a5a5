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


class OursOnlyFilter(logging.Filter):
    """Libraries write paths, parameters and messages of exceptions, and all can hold values of a customer.

    What is left of their records is who wrote them, how grave it is, and the type of an exception.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place."""
        if hasattr(record, "_logger"):  # structlog's mark: it went through the allow-list
            return True
        if record.name.startswith("django.request"):
            record.msg = f"request failed with status {getattr(record, 'status_code', 0)}"
        else:
            record.msg = "message of a library"
        record.args = ()
        return not record.name.startswith("django.security")


_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    name_exception,
]


def configure() -> None:
    """Send our logs and those of libraries through one renderer to standard error."""
    # A record that cannot be written is lost; printing it would show its parameters and a traceback.
    logging.raiseExceptions = False
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"ours_only": {"()": OursOnlyFilter}},
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
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["ours_only"]}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {"rolodesk": {"level": "INFO"}, "axes": {"level": "ERROR"}},
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            keep_allowed,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
