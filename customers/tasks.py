"""Scheduled work about people."""

from celery import shared_task

from customers import handles


@shared_task
def forget_expired_handles() -> None:
    """Delete stored searches past their day."""
    handles.forget_expired()
