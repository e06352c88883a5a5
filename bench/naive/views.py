"""Two addresses: for one event, and for a list of them."""

import json
from typing import Any

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from bench.naive.models import Counter, Customer, Event, Token


@csrf_exempt
@require_POST
def create_event(request: HttpRequest) -> JsonResponse:
    """Store one event."""
    if not _is_known(request):
        return JsonResponse({"detail": "Invalid token."}, status=401)
    event = _store(json.loads(request.body))
    return JsonResponse({"id": event.pk})


@csrf_exempt
@require_POST
def create_events(request: HttpRequest) -> JsonResponse:
    """Store a list of events."""
    if not _is_known(request):
        return JsonResponse({"detail": "Invalid token."}, status=401)
    events = [_store(item) for item in json.loads(request.body)]
    return JsonResponse({"ids": [event.pk for event in events]})


def _is_known(request: HttpRequest) -> bool:
    key = request.headers.get("Authorization", "").removeprefix("Token ")
    return Token.objects.filter(key=key).exists()


@transaction.atomic
def _store(item: dict[str, Any]) -> Event:
    now = timezone.now()
    customer, _ = Customer.objects.get_or_create(external_id=item["customer"])
    event = Event.objects.create(customer=customer, name=item["name"], at=now, properties=item["properties"])
    counter, _ = Counter.objects.get_or_create(customer=customer, name=item["name"])
    Counter.objects.filter(pk=counter.pk).update(n=F("n") + 1, last_at=now)
    Customer.objects.filter(pk=customer.pk).update(last_seen=now)
    return event
