"""Rolodesk: a self-hosted customer console for support teams."""

from rolodesk.celery import app as celery_app

__all__ = ["celery_app"]
