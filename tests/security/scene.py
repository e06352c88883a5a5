"""What the security tests look at: the cast, a customer who did things, and one row of every setting."""

from dataclasses import dataclass
from datetime import timedelta
from typing import cast as as_type
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from customers.models import AuditEntry, IdentifierKind, ObjectType, PropertyDefinition, Token, Topic, User
from tests.cast import Cast
from tests.factories import (
    make_change,
    make_customer,
    make_delivery,
    make_device,
    make_event,
    make_object,
    make_quarantined,
    make_relationship,
    make_segment,
    make_subscription,
    make_topic,
)
from tracking.intake.operations import Ref, Track
from tracking.models import EventDefinition, Form

ROLES = ("anonymous", "outsider", "support", "lead", "root")


@dataclass(frozen=True, slots=True)
class Scene:
    """``words`` fill the addresses of the inventory; ``objects`` are keys of rows, by ``app/model``."""

    cast: Cast
    words: dict[str, str]
    objects: dict[str, str]

    def client(self, role: str) -> Client:
        """A client of this role, with a session of its own."""
        client = Client()
        if role != "anonymous":
            user = as_type("User", getattr(self.cast, role))
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client


def make_scene(cast: Cast, customer: UUID) -> Scene:
    """The scene around this customer of the cast's workspace."""
    event = make_event(cast.workspace, customer, "Purchase", amount=12)
    make_segment(cast.workspace, "Regulars", customer)
    stranger = make_customer(cast.elsewhere, identifiers={"email": "stranger@elsewhere.example"})
    _give(cast, customer)
    visit = Track(Ref("external_id", "NL-204118"), "Visit", properties={"remark": "late"})
    aside = make_quarantined(cast.workspace, visit, reason="absurd_time")
    words = {
        "workspace": cast.workspace.slug,
        "elsewhere": cast.elsewhere.slug,
        "customer": str(customer),
        "stranger": str(stranger),
        "tab": "properties",
        "item": str(aside.pk),
        "event_type": str(event.type_id),
    }
    return Scene(cast, words, {f"{m._meta.app_label}/{m._meta.model_name}": str(m.pk) for m in _settings(cast)})


def _give(cast: Cast, customer: UUID) -> None:
    """One of everything that can belong to a customer."""
    make_device(customer, raw_attributes={"os": "18"})
    make_relationship(customer, make_object(cast.workspace, name="Acme"), role="owner")
    make_topic(cast.workspace, 1, "News")
    make_subscription(customer, 1, is_subscribed=True)
    make_change(customer, "note", "before", "after")
    make_delivery(customer)


def missing_settings(scene: Scene) -> set[str]:
    """Models of the admin of which the scene has no row."""
    registered = {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry}
    return registered - scene.objects.keys()


def _settings(cast: Cast) -> list[Model]:
    """One row of each model that the Django admin shows."""
    now, person = timezone.now(), cast.privacy
    attempt = {"username": "nobody", "ip_address": "192.0.2.1", "user_agent": "x", "path_info": "/", "http_accept": "x"}
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    return [
        cast.workspace,
        cast.support,
        Group.objects.create(name="Night shift"),
        IdentifierKind.objects.filter(workspace=cast.workspace)[0],
        PropertyDefinition.objects.filter(workspace=cast.workspace)[0],
        EventDefinition.objects.filter(workspace=cast.workspace)[0],
        make_segment(cast.workspace, "Newcomers"),
        ObjectType.objects.filter(workspace=cast.workspace)[0],
        Topic.objects.filter(workspace=cast.workspace)[0],
        Form.objects.create(workspace=cast.workspace, key="signup"),
        Token.objects.create(
            user=person, workspace=cast.workspace, name="Shop", face="track", digest=b"1", expires_at=now
        ),
        AuditEntry.objects.create(workspace_id=cast.workspace.pk, face="command", action="workspace.created"),
        EmailAddress.objects.create(user=person, email="privacy@rolodesk.example"),
        Authenticator.objects.create(user=person, type="recovery_codes", data={"migrated_codes": []}),
        UserSession.objects.create(
            user=person, ip="192.0.2.1", session_key="x" * 32, last_seen_at=now, user_agent="x", data={}
        ),
        AccessAttempt.objects.create(**attempt, failures_since_start=1),
        AccessLog.objects.create(**attempt),
        AccessFailureLog.objects.create(**attempt),
        hourly,
        CrontabSchedule.objects.create(),
        SolarSchedule.objects.create(event="sunrise", latitude=60, longitude=5),
        ClockedSchedule.objects.create(clocked_time=now + timedelta(days=1)),
        PeriodicTask.objects.create(name="Sweep", task="customers.tasks.forget_expired_handles", interval=hourly),
    ]
