"""Reckons what tests/front/sample.rs holds: where customers lie on the line from 0 to 2^64.

    python3 tests/front/sample_golden.py
"""

import hashlib


def point(salt, customer):
    digest = hashlib.sha256(salt.encode() + b"\0" + customer.encode()).digest()
    return int.from_bytes(digest[:8], "big")


SALTS = ["winback", "anti-âge", "", "two words"]

every = hashlib.sha256()
for salt in SALTS:
    for n in range(2500):
        every.update(point(salt, str(n)).to_bytes(8, "big"))
print("digest of all:", every.hexdigest())

for salt, customer in [("winback", "1"), ("winback", "ana"), ("winback", "Ana"), ("anti-âge", "zoë"), ("", ""), ("a", "b"), ("ab", "")]:
    print(f"({salt!r}, {customer!r}, {point(salt, customer):#018x}),")

for share in [0.1, 0.5]:
    inside = [n for n in range(1, 41) if point("winback", str(n)) < int(share * 2**64)]
    print(share, inside)
