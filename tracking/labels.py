"""How rows of the timeline that are no plain events read: messages, and what the console itself notes."""

from dataclasses import dataclass

from tracking.models import EventDefinition, EventKind

ICONS = {
    EventKind.EVENT: "circle-dot",
    EventKind.PAGE: "file-text",
    EventKind.SCREEN: "smartphone",
    EventKind.MESSAGE: "mail",
    EventKind.SYSTEM: "cog",
}


@dataclass(frozen=True, slots=True)
class Label:
    """Words and icon of a row; ``detail`` is the property whose value stands beside the words."""

    text: str
    icon: str
    detail: str = ""


# What the console notes by itself, by the names that the write gate gives.
SYSTEM = {
    "customer_merged": Label("Merged with", "merge", "absorbed"),
    "customer_unmerged": Label("Split from", "split", "absorbed"),
    "anonymous_joined": Label("Anonymous activity joined", "user-check"),
    "segment_entered": Label("Entered segment", "log-in", "segment_id"),
    "segment_left": Label("Left segment", "log-out", "segment_id"),
    "customer_restricted": Label("Was restricted", "lock"),
    "customer_unrestricted": Label("Is restricted no more", "lock-open"),
}
CHANNELS = {
    "email": Label("E-mail", "mail"),
    "push": Label("Push", "smartphone"),
    "sms": Label("SMS", "message-square"),
    "in_app": Label("In-app", "app-window"),
    "slack": Label("Slack", "hash"),
    "webhook": Label("Webhook", "webhook"),
}
MESSAGE = Label("Message", ICONS[EventKind.MESSAGE])
UNSUBSCRIBED = {
    "email_unsubscribed": Label("Unsubscribed from messages", "mail-x"),
    "email_resubscribed": Label("Subscribed to messages again", "mail-check"),
}


def label(definition: EventDefinition) -> Label:
    """Words and icon for events of this definition; an icon that somebody has chosen wins."""
    found = _label(definition.kind, definition.name)
    return Label(found.text, definition.icon or found.icon, found.detail)


def channel(code: str) -> Label:
    """Words and icon of a channel; an unknown one reads as it is."""
    return CHANNELS.get(code.replace("-", "_").lower()) or Label(words(code) or MESSAGE.text, MESSAGE.icon)


def words(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ").capitalize()


def _label(kind: str, name: str) -> Label:
    if kind == EventKind.SYSTEM:
        return SYSTEM.get(name) or Label(words(name), ICONS[EventKind.SYSTEM])
    if kind == EventKind.MESSAGE:
        return UNSUBSCRIBED.get(name) or _report(name)
    return Label(name, ICONS[EventKind(kind)])


def _report(name: str) -> Label:
    """``email_opened`` is an e-mail that was opened."""
    sender, _, metric = name.rpartition("_")
    known = channel(sender) if sender else MESSAGE
    return Label(f"{known.text} {metric}", known.icon)
