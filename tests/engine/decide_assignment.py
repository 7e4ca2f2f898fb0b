"""Writes what tests/engine/decide_assignment.rs holds: whom the published assignment gives which arm, for 10,000 customers.

    python3 tests/engine/decide_assignment.py > tests/engine/fixtures/assignment.csv
"""

import hashlib
from fractions import Fraction


def point(salt, customer):
    digest = hashlib.sha256(salt.encode() + b"\0" + customer.encode()).digest()
    return int.from_bytes(digest[:8], "big")


def end(share):
    return int(Fraction(share) * 2**64)


def arm(salt, arms, customer):
    """The first arm whose end lies above the customer's point; none: held out."""
    so_far = Fraction(0)
    for name, share in arms:
        so_far += Fraction(share)
        if point(salt, customer) < end(so_far):
            return name
    return "-"


# 5,000 numbers, 5,000 texts.
customers = [str(n * 7 - 10_000) for n in range(5_000)] + [f"küche-{n}" for n in range(5_000)]

print("customer,winback,anti-âge,welcome,holdout,first")
for customer in customers:
    winback = arm("arms:1:shop/winback", [("a", "0.45"), ("b", "0.45")], customer)
    thirds = arm("arms:1:shop/anti-âge", [("x", "0.333"), ("y", "0.333"), ("z", "0.334")], customer)
    welcome = arm("arms:1:shop/welcome", [("1", "0.8")], customer)
    everywhere = "-" if point("holdout:1:shop", customer) < end("0.05") else "+"
    # Whether the customer is among the first tenth of the order of a limit.
    first = "+" if point("limit:1:shop/winback", customer) < end("0.1") else "."
    print(f"{customer},{winback},{thirds},{welcome},{everywhere},{first}")
