"""Three tables with the indexes that one gives them, and one for the tokens."""

from typing import ClassVar, Self

from django.db import models


class Token(models.Model):
    """What a client proves itself with."""

    key = models.CharField(max_length=40, primary_key=True)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return f"token {self.pk[:4]}"


class Customer(models.Model):
    """Somebody with a number of his own."""

    external_id = models.CharField(max_length=150, unique=True)
    last_seen = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return str(self.pk)


class Event(models.Model):
    """Something he did."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    at = models.DateTimeField()
    properties = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        app_label = "naive"
        indexes = [models.Index(fields=["customer", "-at"], name="naive_timeline")]

    def __str__(self) -> str:
        return str(self.pk)


class Counter(models.Model):
    """How often he did it."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    n = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        app_label = "naive"
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="naive_counter_once")]

    def __str__(self) -> str:
        return str(self.pk)
