"""What the system tests share: a private stack, clients of the broker, the database and the tools.

Nothing here sleeps to wait for an effect: wait_for() polls with a bound.
"""
