"""The fault run (security.md Q10): a whole stack under load while its processes are killed, then an account.

``python -m tests.faults --kills 20 --operations 20000 --seed 1`` is the full one, ``test_smoke.py`` a small one.

``stack`` starts and stops ``make up``; ``people`` knows what each request must do; ``load`` sends and keeps the
history; ``kills`` kills; ``tables`` and ``account`` compare the tables with what was promised.
"""
