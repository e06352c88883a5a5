"""Project-wide start-up: logging and the templates' helpers."""

from django.apps import AppConfig


class RolodeskConfig(AppConfig):
    """App configuration; the project package has no models."""

    name = "rolodesk"

    def ready(self) -> None:
        """Configure structured logging once per process."""
        from rolodesk import logging

        logging.configure()
