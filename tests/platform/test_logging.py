"""What reaches the log: fields on the allow-list, and of libraries not a word."""

import io
import json
import logging

import pytest
import structlog

from rolodesk.logging import ALLOWED_FIELDS, OursOnlyFilter

ours = structlog.get_logger("rolodesk.test")


@pytest.fixture
def lines():
    """The lines that our handler writes."""
    (handler,) = [
        one
        for one in logging.getLogger().handlers
        if isinstance(one, logging.StreamHandler) and isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)
    ]
    stream = io.StringIO()
    before = handler.setStream(stream)

    def lines():
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield lines
    handler.setStream(before)


def fail():
    canary = "canary-local"
    raise ValueError(f"canary-message {canary}")


# --- Ours --------------------------------------------------------------------------------------


def test_a_line_has_event_level_logger_and_time(lines):
    ours.info("request", status=200, route="customers/", ms=5)
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("request", "info", "rolodesk.test")
    assert (line["status"], line["route"], line["ms"]) == (200, "customers/", 5)
    assert line["timestamp"].endswith("Z")


def test_fields_that_are_not_on_the_list_are_dropped(lines):
    ours.info("request", email="canary@x.example", path="/canary", body={"a": "canary"}, query="canary", status=200)
    (line,) = lines()
    assert "canary" not in str(line) and set(line) <= ALLOWED_FIELDS


@pytest.mark.parametrize("field", ["email", "path", "body", "name", "value", "message", "exception", "stack", "url"])
def test_no_field_for_values_is_on_the_list(field):
    assert field not in ALLOWED_FIELDS


def test_control_characters_cannot_forge_a_line(lines):
    ours.warning("refused", reason='a\nb\r{"event": "forged"}\x1b[31m\0')
    (line,) = lines()
    assert line["event"] == "refused"


def test_an_exception_is_named_and_not_told(lines):
    try:
        fail()
    except ValueError as error:
        ours.exception("failed")
        ours.error("failed", exc_info=True)
        ours.error("failed", exc_info=error)
        ours.error("failed", exc_info=(type(error), error, error.__traceback__))
    assert [line["exception_type"] for line in lines()] == ["ValueError"] * 4
    assert "canary" not in str(lines()) and "Traceback" not in str(lines())


def test_an_exception_that_is_none_is_unknown(lines):
    ours.error("failed", exc_info=True)
    assert lines()[0]["exception_type"] == "unknown"


def test_a_stack_is_not_told(lines):
    canary = "canary"
    ours.warning("here", stack_info=True)
    assert "canary" not in str(lines()) and "Stack" not in str(lines()) and canary


def test_details_of_ours_are_below_the_level(lines):
    ours.debug("detail")
    logging.getLogger("somelibrary").info("detail")
    assert lines() == []


# --- Libraries' --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["somelibrary", "psycopg.pool", "celery.worker", "asyncio", "django.template", ""])
def test_a_library_is_named_and_not_quoted(lines, name):
    logger = logging.getLogger(name)
    logger.warning("no such user: canary@x.example")
    logger.error("bad value %s", "canary")
    logger.error({"email": "canary"})
    logger.error("%(email)s", {"email": "canary"})
    assert [line["event"] for line in lines()] == ["message of a library"] * 4
    assert [line["level"] for line in lines()] == ["warning", "error", "error", "error"]
    assert {line["logger"] for line in lines()} == {name or "root"} and "canary" not in str(lines())


def test_an_exception_of_a_library_is_named_and_not_told(lines):
    logger = logging.getLogger("somelibrary")
    try:
        fail()
    except ValueError as error:
        logger.exception("canary")
        logger.error("canary", exc_info=error, stack_info=True)
    assert [line["exception_type"] for line in lines()] == ["ValueError"] * 2
    for word in ("canary", "Traceback", "Stack"):
        assert word not in str(lines())


def test_what_a_library_adds_to_a_record_is_dropped(lines):
    logging.getLogger("somelibrary").error("x", extra={"request": "canary", "email": "canary", "sql": "canary"})
    assert "canary" not in str(lines())


def test_a_failed_request_is_told_by_its_status(lines):
    logger = logging.getLogger("django.request")
    logger.warning("Not Found: %s", "/w/x/canary@x.example/", extra={"status_code": 404, "request": "canary"})
    logger.error("Internal Server Error: /canary", extra={"status_code": 500})
    logger.error("Bad Request")
    events = [line["event"] for line in lines()]
    assert events == [f"request failed with status {status}" for status in (404, 500, 0)]
    assert "canary" not in str(lines())


def test_what_django_says_about_hosts_and_tokens_is_not_told_at_all(lines):
    logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header: canary.example")
    logging.getLogger("django.security.csrf").warning("Forbidden: /canary")
    assert lines() == []


def test_a_page_that_fails_leaves_no_value_in_the_log(cast, sign_in, lines, monkeypatch):
    def refuse(*_args):
        fail()

    monkeypatch.setattr("customers.views.search.find", refuse)
    client = sign_in(cast.lead)
    client.raise_request_exception = False
    assert client.post(f"/w/{cast.workspace.slug}/customers/search/", {"q": "canary"}, headers={"HX-Request": "true"})
    told = lines()
    assert [line["event"] for line in told] == ["request failed with status 500", "request"]
    assert told[0]["exception_type"] == "ValueError" and told[1]["status"] == 500
    assert "canary" not in str(told) and "Traceback" not in str(told)


def test_the_filter_leaves_ours_as_they_are():
    record = logging.LogRecord("rolodesk.test", logging.INFO, "", 0, {"event": "request"}, (), None)
    record._logger = None
    assert OursOnlyFilter().filter(record) and record.msg == {"event": "request"}
