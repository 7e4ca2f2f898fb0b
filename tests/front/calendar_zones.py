"""Writes calendar_zones.csv: what Python's own calendar says around every transition of every zone, as one digest a zone.

Usage: PYTHONTZPATH=<zoneinfo folder of the tzdata package 2026.5> python3 calendar_zones.py > calendar_zones.csv
Rows: zone,transitions,sha256 of the answers as little-endian 64-bit integers, in the order of `answers`.
Transitions are those of 2000 to 2037. The test makes the same answers from the same questions.
"""
import hashlib
import struct
import sys
from bisect import bisect_right
from calendar import monthrange
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

EPOCH = datetime(1970, 1, 1)
UTC = timezone.utc
US = timedelta(microseconds=1)
DAY = 86_400_000_000
HALF = 1_800_000_000
# Around the transition itself, and half an hour to either side of it so many days away.
NEAR = [-1, 0, 1, HALF, -HALF]
AWAY = [1, 7, 30, 31, 365, -1, -7, -30, -31, -365]
BACK = [(1, "d"), (2, "d"), (1, "w"), (30, "d"), (1, "mo"), (3, "mo"), (1, "y"), (24, "h")]
AHEAD = [(1, "d"), (1, "w"), (1, "mo"), (1, "y")]
PERIODS = ["day", "week", "month", "quarter", "year"]


def micros(wall):
    gap = wall - EPOCH
    return gap.days * DAY + gap.seconds * 1_000_000 + gap.microseconds


class Calendar:
    def __init__(self, name):
        self.zone = ZoneInfo(name)
        step = DAY // 2
        at, end = micros(datetime(1998, 1, 1)), micros(datetime(2040, 1, 1))
        self.jumps = []
        before = self.offset(at)
        while at < end:
            after = self.offset(at + step)
            if before != after:
                low, high = at, at + step
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if self.offset(middle) == before else (low, middle)
                self.jumps.append(high)
            at, before = at + step, after

    def local(self, us):
        return (EPOCH + us * US).replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=None)

    def offset(self, us):
        return self.local(us) - (EPOCH + us * US)

    def instant(self, wall):
        """One that comes twice is the first, a skipped one is read with the offset before the gap: PEP 495, fold 0.

        Where zoneinfo's two readings differ and only the second one leads back to the wall clock, the second one is right: it
        reads 2023-10-28T23:30 in America/Nuuk with an offset that the zone never had.
        """
        first, second = (micros(wall.replace(tzinfo=self.zone, fold=f).astimezone(UTC).replace(tzinfo=None)) for f in (0, 1))
        if first != second and self.local(first) != wall and self.local(second) == wall:
            return second
        return first

    def start(self, day):
        """The first instant of a day: midnight, or the jump that skips it."""
        midnight = datetime(day.year, day.month, day.day)
        us = self.instant(midnight)
        if self.local(us) == midnight:
            return us
        return self.jumps[bisect_right(self.jumps, us) - 1]

    def moved(self, us, amount, unit):
        if unit == "h":
            return us + amount * 3_600_000_000
        return self.instant(shift(self.local(us), amount, unit))

    def period(self, today, unit, offset):
        if unit == "day":
            return self.start(today + timedelta(days=offset))
        if unit == "week":
            return self.start(today - timedelta(days=today.weekday()) + timedelta(weeks=offset))
        months = {"month": 1, "quarter": 3, "year": 12}[unit]
        index = today.year * 12 + today.month - 1
        year, month = divmod(index - index % months + offset * months, 12)
        return self.start(date(year, month + 1, 1))

    def answers(self, as_of):
        today = self.local(as_of).date()
        yield from (self.moved(as_of, -n, unit) for n, unit in BACK)
        yield from (self.moved(as_of, n, unit) for n, unit in AHEAD)
        for unit in PERIODS:
            yield from (self.period(today, unit, offset) for offset in (-1, 0, 1, 2))
        yield self.start(today)
        yield self.start(today + timedelta(days=1))
        # The plain dates of `in 1mo`, `within 1mo` and `in this month`, and the day itself.
        days = lambda day: (day - EPOCH.date()).days
        yield days(shift(today, -1, "mo"))
        yield days(shift(today, 1, "mo"))
        first = today.replace(day=1)
        yield days(first)
        yield days(shift(first, 1, "mo")) - 1
        yield days(today)


def shift(wall, amount, unit):
    if unit in ("d", "w"):
        return wall + timedelta(days=amount * (7 if unit == "w" else 1))
    year, month = divmod(wall.year * 12 + wall.month - 1 + amount * (12 if unit == "y" else 1), 12)
    return wall.replace(year=year, month=month + 1, day=min(wall.day, monthrange(year, month + 1)[1]))


def main():
    first, last = micros(datetime(2000, 1, 1)), micros(datetime(2038, 1, 1))
    for name in sorted(available_timezones()):
        calendar = Calendar(name)
        jumps = [t for t in calendar.jumps if first <= t < last]
        digest = hashlib.sha256()
        for t in jumps or [first]:
            moments = [t + d for d in NEAR]
            wall = calendar.local(t)
            for half in (HALF, -HALF):
                moments += [calendar.instant(wall + half * US + timedelta(days=n)) for n in AWAY]
            for as_of in moments:
                answers = list(calendar.answers(as_of))
                digest.update(struct.pack(f"<{len(answers)}q", *answers))
        print(name, len(jumps), digest.hexdigest(), sep=",")
        sys.stdout.flush()


main()
