"""The demo's data: a real purchase history, and invented people to go with it."""
