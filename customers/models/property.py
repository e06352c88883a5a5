"""What we know about properties; what is not declared here is personal."""

from django.db import models

from customers.models.workspace import Workspace

PERSONAL = 1


class PropertyDefinition(models.Model):
    """Type, class and place of one property of customers, of events of one name, or of what belongs to customers.

    ``entity`` is ``customer``, ``event:<event name>``, ``message``, ``system``, ``device``, ``object:<type number>``
    or ``relationship:<type number>``; ``path`` is the property's name. The class is
    0 public, 1 personal, 2 sensitive, 3 secret.
    """

    id = models.AutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    entity = models.CharField(max_length=160, default="customer")
    path = models.CharField(max_length=150)
    label = models.CharField(max_length=150, blank=True)
    type = models.CharField(max_length=20, default="text")
    data_class = models.PositiveSmallIntegerField(default=PERSONAL)
    role = models.CharField(
        max_length=20, blank=True, help_text="“name”: part of the display name, in order of position."
    )
    is_pinned = models.BooleanField(default=False)
    is_searchable = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=100)

    class Meta:
        db_table = "property_definition"
        constraints = [models.UniqueConstraint(fields=["workspace", "entity", "path"], name="property_definition_path")]
        ordering = ["position", "path"]

    def __str__(self) -> str:
        return f"{self.entity} {self.path}"
