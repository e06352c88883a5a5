"""Consent: which messages a customer wants."""

from django.db import models

from customers.models.workspace import Workspace

EVERYTHING = 0


class Topic(models.Model):
    """Something that customers subscribe to. ``number`` is what the wires call it, counted within the workspace."""

    id = models.AutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    number = models.IntegerField()
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "topic"
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="topic_number")]
        ordering = ["number"]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """What a customer said about one topic; number 0 stands for messages altogether. The newest word counts."""

    pk = models.CompositePrimaryKey("customer_id", "topic")
    customer_id = models.UUIDField()
    topic = models.IntegerField()
    is_subscribed = models.BooleanField()
    at = models.DateTimeField()
    source = models.TextField()

    class Meta:
        db_table = "subscription"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.customer_id} {self.topic}"
