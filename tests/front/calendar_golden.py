"""Writes calendar_golden.csv: what Python's own calendar says about zones, so that ours is checked against a second source.

Usage: PYTHONTZPATH=<zoneinfo folder of the tzdata package 2026.5> python3 calendar_golden.py > calendar_golden.csv
Rows: L,zone,local,instant           a wall-clock time to the instant
      U,zone,instant,date,hour,weekday,week,month
      B,zone,as_of,amount,unit,edge  as-of minus a duration
      D,zone,as_of,instant,days      whole days since
      S,zone,day,instant             the first instant of a date
Instants and wall clocks are microseconds since 1970-01-01T00:00, dates are days since then.
"""
import calendar
import random
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = ["UTC", "Europe/Paris", "Europe/London", "America/New_York", "America/Sao_Paulo", "America/Toronto", "Asia/Kolkata",
         "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Tehran", "America/Havana", "Asia/Beirut",
         "Antarctica/Troll"]
EPOCH = datetime(1970, 1, 1)
US = timedelta(microseconds=1)


def micros(naive):
    return (naive - EPOCH) // US


def naive(us):
    return EPOCH + us * US


def local(us, zone):
    return naive(us).replace(tzinfo=timezone.utc).astimezone(zone).replace(tzinfo=None)


def instant(wall, zone):
    return micros(wall.replace(tzinfo=zone, fold=0).astimezone(timezone.utc).replace(tzinfo=None))


def shift(wall, amount, unit):
    if unit in ("d", "w"):
        return wall - timedelta(days=amount * (7 if unit == "w" else 1))
    months = wall.year * 12 + wall.month - 1 - amount * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last))


def back(us, amount, unit, zone):
    if unit in ("s", "min", "h"):
        return us - amount * {"s": 1, "min": 60, "h": 3600}[unit] * 1_000_000
    return instant(shift(local(us, zone), amount, unit), zone)


def days_since(as_of, at, zone):
    near = (local(as_of, zone).date() - local(at, zone).date()).days
    return max(n for n in range(near - 6, near + 7) if at <= back(as_of, n, "d", zone))


def start_of_day(day, zone):
    """The smallest instant, to the second, whose wall clock shows the day (or a later one, if the day was skipped)."""
    low = micros(datetime(1970, 1, 1) + timedelta(days=day)) - 2 * 86_400_000_000
    wanted = date(1970, 1, 1) + timedelta(days=day)
    for step in (3_600, 60, 1):
        while local(low, zone).date() < wanted:
            low += step * 1_000_000
        low -= step * 1_000_000
    return low + 1_000_000


def transitions(zone, first, last):
    found, at, step = [], micros(datetime(first, 1, 1)), 12 * 3_600_000_000
    offset = lambda us: local(us, zone) - naive(us)
    while at < micros(datetime(last, 1, 1)):
        if offset(at) != offset(at + step):
            low, high = at, at + step
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high)
        at += step
    return found


def main():
    pick = random.Random(7)
    for name in ZONES:
        zone = ZoneInfo(name)
        jumps = transitions(zone, 1912, 2030)
        jumps = sorted(pick.sample(jumps, min(len(jumps), 4)))
        if name == "Pacific/Apia":
            jumps.append(micros(datetime(2011, 12, 30, 10)))
        if name == "America/Toronto":
            jumps.append(next(t for t in transitions(zone, 1919, 1920)))
        late = transitions(zone, 2105, 2106) + transitions(zone, 2399, 2400)
        around = [0, -1, 1, 1_800_000_000, -1_800_000_000, 3_600_000_000, -3_600_000_000]
        month_ends = [datetime(2024, 2, 29, 12), datetime(2025, 3, 31, 0, 0, 0, 1), datetime(2026, 12, 31, 23, 59, 59, 999_999),
                      datetime(2000, 2, 29), datetime(1900, 3, 1), datetime(2100, 3, 1, 5), datetime(1, 3, 1), datetime(9999, 12, 30)]
        instants = [t + d for t in jumps + late for d in around] + [micros(m) for m in month_ends]
        instants += [micros(datetime(1990, 1, 1)) + pick.randrange(50 * 365 * 86_400_000_000) for _ in range(12)]
        for us in instants:
            wall = local(us, zone)
            day = (wall.date() - date(1970, 1, 1)).days
            monday = wall.date() - timedelta(days=wall.weekday()) if wall.date() > date(1, 1, 7) else None
            week = (monday - date(1969, 12, 29)).days // 7 if monday else (day + 3) // 7
            print("U", name, us, day, wall.hour, wall.weekday(), week, wall.year * 12 + wall.month - 1, sep=",")
        for t in jumps + late:
            for wall in (local(t, zone), local(t - 1, zone)):
                for d in (0, 1, -1, 600_000_000, -600_000_000, 1_800_000_000, -1_800_000_000, 5_400_000_000):
                    moved = wall + d * US
                    print("L", name, micros(moved), instant(moved, zone), sep=",")
            day = (local(t, zone).date() - date(1970, 1, 1)).days
            for n in (day - 1, day, day + 1):
                print("S", name, n, start_of_day(n, zone), sep=",")
        bases = [t + pick.randrange(-2, 3) * 86_400_000_000 + pick.choice(around) for t in jumps + late]
        for us in bases + [micros(m) for m in month_ends[:6]]:
            for amount, unit in ((1, "d"), (2, "d"), (1, "w"), (1, "mo"), (13, "mo"), (1, "y"), (4, "y"), (26, "h")):
                print("B", name, us, amount, unit, back(us, amount, unit, zone), sep=",")
        for us in bases:
            for n in (0, 1, 2, 30, -1):
                edge = back(us, n, "d", zone)
                for at in (edge - 1, edge, edge + 1):
                    print("D", name, us, at, days_since(us, at, zone), sep=",")


main()
