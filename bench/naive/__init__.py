"""The application one would write first: Django, JSON views and a ``create`` for each event.

It does for the reader what the product does — the customer is there, the event in the timeline, the counter
counts — and none of the rest: no keyed look-up, no recognised retries, no masking, no inbox. It would use Django
REST framework, which is none of our dependencies; plain views cost it less, so the comparison favours it.
"""
