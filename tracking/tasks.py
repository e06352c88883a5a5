"""Scheduled work about events."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from rolodesk import partitions
from rolodesk.database import connect
from tracking.intake import expiry
from tracking.models import DirtyCustomer

DIRTY_KEPT = timedelta(days=7)


@shared_task
def make_partitions() -> None:
    """Make the partitions of the coming months, so that no row ever lacks one."""
    with connect(application="rolodesk partitions") as connection:
        partitions.make_ahead(connection, timezone.now().date())


@shared_task
def drop_old_partitions() -> None:
    """Drop partitions past their keeping."""
    with connect(application="rolodesk partitions") as connection:
        partitions.drop_old(connection, timezone.now().date())


@shared_task
def trim_dirty_customers() -> None:
    """Forget changes that no segment has asked for in a week; a full recompute covers them."""
    DirtyCustomer.objects.filter(at__lt=timezone.now() - DIRTY_KEPT).delete()


@shared_task
def forget_anonymous() -> None:
    """Remove anonymous customers who were silent for as long as their workspace keeps them."""
    with connect(application="rolodesk expiry") as connection:
        expiry.forget_anonymous(connection, timezone.now())
