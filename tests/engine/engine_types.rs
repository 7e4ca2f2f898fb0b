//! Columns of every type that a store may hold: the answer is the same.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Decimal256Array, FixedSizeBinaryArray, Float32Array, Int8Array,
    Int32Array, Int64Array, LargeStringArray, ListBuilder, StringArray, StringBuilder, StringViewArray, UInt16Array,
    UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, i256};

use super::engine_support::{DAY, NOW, PLAIN, Shop, ago, all, some_events, texts};

#[test]
fn customer_ids() {
    let run = |ids: ArrayRef| {
        let shop = Shop::plain();
        let mut columns = some_events();
        columns[0].1 = ids;
        shop.parquet("data/events/a.parquet", columns);
        let outcome = shop.run("buy where (item = cream)").unwrap();
        (outcome.member_ids(0), outcome.customers.data_type().clone())
    };
    let text = |ids: &[&str]| (ids.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(), DataType::Utf8);
    let whole = |ids: &[&str]| (text(ids).0, DataType::Int64);
    assert_eq!(run(Arc::new(StringArray::from(vec!["10", "9", "10"]))), text(&["10", "9"]));
    assert_eq!(run(Arc::new(LargeStringArray::from(vec!["10", "9", "10"]))), text(&["10", "9"]));
    assert_eq!(run(Arc::new(StringViewArray::from(vec!["10", "9", "10"]))), text(&["10", "9"]));
    let words: ArrayRef = Arc::new(StringArray::from(vec!["10", "9", "10"]));
    let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8));
    assert_eq!(run(cast(&words, &dictionary).unwrap()), text(&["10", "9"]));
    assert_eq!(run(Arc::new(Int8Array::from(vec![10, 9, 10]))), whole(&["9", "10"]));
    assert_eq!(run(Arc::new(Int64Array::from(vec![-10, 9, -10]))), whole(&["-10", "9"]));
    assert_eq!(run(Arc::new(UInt16Array::from(vec![10, 9, 10]))), whole(&["9", "10"]));
    assert_eq!(run(Arc::new(UInt64Array::from(vec![10, 9, 10]))), whole(&["9", "10"]));
    let uuids = vec![[0xAB; 16], [1; 16], [0xAB; 16]];
    let uuids = FixedSizeBinaryArray::try_from_iter(uuids.into_iter()).unwrap();
    assert_eq!(
        run(Arc::new(uuids)),
        text(&["01010101-0101-0101-0101-010101010101", "abababab-abab-abab-abab-abababababab"])
    );
    let shop = Shop::plain();
    let mut columns = some_events();
    columns[0].1 = Arc::new(UInt64Array::from(vec![1, u64::MAX, 2]));
    shop.parquet("data/events/a.parquet", columns);
    assert!(shop.error("buy").starts_with("column `customer` of source `shop` holds 18446744073709551615"));
}

#[test]
fn ids_of_two_kinds_meet_as_text() {
    let shop = Shop::new(
        "
sources:
  a: {path: data/a.parquet, customer: customer, time: time}
  b: {path: data/b.parquet, customer: customer, time: time}
events:
  buy: {source: a}
  look: {source: b}
lists:
  staff: {path: data/staff.txt}
",
    );
    let ids = |ids: ArrayRef| vec![("customer", ids), ("time", ago(&[1, 2, 3]))];
    shop.parquet("data/a.parquet", ids(Arc::new(Int32Array::from(vec![9, 10, 11]))));
    shop.parquet("data/b.parquet", ids(all(&["10", "11", "x"])));
    std::fs::write(shop.path("data/staff.txt"), "11\n 9 \n\n").unwrap();
    assert_eq!(shop.members("buy and look"), ["10", "11"]);
    assert_eq!(shop.members("staff"), ["11", "9"]);
}

#[test]
fn times() {
    let run = |times: ArrayRef, more: &str| {
        let shop = Shop::new(&PLAIN.replace("event: event}", &format!("event: event{more}}}")));
        let mut columns = some_events();
        columns[1].1 = times;
        shop.parquet("data/events/a.parquet", columns);
        shop.members("buy ≥ 2 in 2d")
    };
    let micros: Vec<i64> = vec![NOW - 1, NOW - 1, NOW - 2 * DAY];
    let instant = |unit: TimeUnit, zone: Option<&str>| {
        let plain: ArrayRef = Arc::new(
            arrow::array::TimestampMicrosecondArray::from(micros.clone()).with_timezone_opt(zone.map(str::to_owned)),
        );
        cast(&plain, &DataType::Timestamp(unit, zone.map(Into::into))).unwrap()
    };
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        assert_eq!(run(instant(unit, None), ""), ["ana"], "{unit:?}");
        assert_eq!(run(instant(unit, Some("UTC")), ""), ["ana"], "{unit:?}");
        assert_eq!(run(instant(unit, Some("+02:00")), ""), ["ana"], "{unit:?}");
    }
    // Without a zone of their own, times are the source's: in Paris it was earlier by an hour.
    assert_eq!(run(instant(TimeUnit::Microsecond, None), ", timezone: Europe/Paris"), [""; 0]);
    let whole = |by: i64| Arc::new(Int64Array::from(micros.iter().map(|m| m.div_euclid(by)).collect::<Vec<_>>()));
    assert_eq!(run(whole(1_000_000), ", time_unit: s"), ["ana"]);
    assert_eq!(run(whole(1_000), ", time_unit: ms"), ["ana"]);
    assert_eq!(run(whole(1), ", time_unit: us"), ["ana"]);
    let days: ArrayRef = Arc::new(Int32Array::from(vec![20_777, 20_777, 20_776]));
    assert_eq!(run(cast(&days, &DataType::Date32).unwrap(), ""), ["ana"]);
    assert_eq!(run(cast(&cast(&days, &DataType::Date32).unwrap(), &DataType::Date64).unwrap(), ""), ["ana"]);
}

fn typed(ty: &str, values: ArrayRef) -> Shop {
    let shop = Shop::new(&PLAIN.replace("type: text", &format!("type: {ty}")));
    let rows = values.len() as i64;
    let ids: Vec<String> = (0..rows).map(|i| format!("c{i}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let days: Vec<i64> = (1..=rows).collect();
    shop.parquet(
        "data/events/a.parquet",
        vec![
            ("customer", all(&ids)),
            ("time", ago(&days)),
            ("event", all(&vec!["buy"; rows as usize])),
            ("item", values),
        ],
    );
    shop
}

#[test]
fn money() {
    let rule = "sum(item of buy) = 1.01";
    for values in [
        Arc::new(Decimal128Array::from(vec![1_010, 1_005, 1_004, -1_005]).with_precision_and_scale(20, 3).unwrap())
            as ArrayRef,
        Arc::new(
            Decimal256Array::from(
                vec![1_010, 1_005, 1_004, -1_005].into_iter().map(i256::from_i128).collect::<Vec<_>>(),
            )
            .with_precision_and_scale(60, 3)
            .unwrap(),
        ),
    ] {
        let shop = typed("money", values);
        assert_eq!(shop.members(rule), ["c0", "c1"], "half is rounded away from zero");
        assert_eq!(shop.members("sum(item of buy) = -1.01"), ["c3"]);
    }
    let shop = typed("money", Arc::new(Float32Array::from(vec![1.01, 1.0, f32::NAN])));
    assert_eq!(shop.members(rule), ["c0"]);
    assert_eq!(shop.members("buy where (item is unknown)"), ["c2"]);
    let shop = typed("money", Arc::new(Int32Array::from(vec![1, 2])));
    assert_eq!(shop.members("buy where (item > 1.99)"), ["c1"]);
}

#[test]
fn yes_and_no() {
    for values in [
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])) as ArrayRef,
        Arc::new(Int8Array::from(vec![Some(1), Some(0), None])),
        texts(&[Some("true"), Some("False"), None]),
    ] {
        let shop = typed("yes/no", values);
        assert_eq!(shop.members("buy where (item)"), ["c0"]);
        assert_eq!(shop.members("buy where (not item)"), ["c1", "c2"]);
        assert_eq!(shop.members("buy where (item is known)"), ["c0", "c1"]);
    }
    let shop = typed("yes/no", Arc::new(Int8Array::from(vec![1, 2])));
    assert!(shop.error("buy where (item)").starts_with("column `item` of source `shop` holds 2, but yes/no is 0 or 1"));
}

#[test]
fn texts_and_lists() {
    let shop = typed("text", texts(&[Some("e\u{301}clat"), Some("éclat"), Some("ECLAT"), Some(""), None]));
    assert_eq!(shop.members("buy where (item = \"éclat\")"), ["c0", "c1"], "both forms of é are one text");
    assert_eq!(shop.members("distinct(item of buy) = 0"), ["c3", "c4"], "empty text is missing");
    let shop = typed("text", Arc::new(Int64Array::from(vec![5, 15])));
    assert_eq!(shop.members("buy where (item = \"15\")"), ["c1"]);
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("a"), None, Some("b")]);
    lists.append_value([Some("c")]);
    lists.append_null();
    let lists: ArrayRef = Arc::new(lists.finish());
    for ty in [
        lists.data_type().clone(),
        DataType::LargeList(Arc::new(arrow::datatypes::Field::new("item", DataType::LargeUtf8, true))),
        DataType::List(Arc::new(arrow::datatypes::Field::new("x", DataType::Utf8View, true))),
    ] {
        let shop = typed("list", cast(&lists, &ty).unwrap());
        assert_eq!(shop.members("buy where (item has b)"), ["c0"], "{ty}");
        assert_eq!(shop.members("buy where (item is known)"), ["c0", "c1"], "{ty}");
    }
}

#[test]
fn folders_with_values_in_their_names() {
    let shop = Shop::plain();
    for (folder, rows) in
        [("item=serum/day=1", 0), ("item=cr%C3%A8me/day=2", 1), ("item=__HIVE_DEFAULT_PARTITION__", 2)]
    {
        let columns = some_events().into_iter().take(3).map(|(name, c)| (name, c.slice(rows, 1))).collect();
        shop.parquet(&format!("data/events/{folder}/x.parquet"), columns);
    }
    assert_eq!(shop.members("buy where (item = \"crème\")"), ["bob"]);
    assert_eq!(shop.members("buy where (item is unknown)"), ["ana"]);
    assert_eq!(shop.members("buy ≥ 2"), ["ana"]);
    // A file that has the column itself keeps its own.
    let shop = Shop::plain();
    shop.parquet("data/events/item=other/x.parquet", some_events());
    assert_eq!(shop.members("buy where (item = serum)"), ["ana"]);
}

#[test]
fn files_of_near_types_are_one_table() {
    let shop = Shop::new(&PLAIN.replace("type: text", "type: integer"));
    let with = |values: ArrayRef| {
        let mut columns = some_events();
        columns[3].1 = values;
        columns
    };
    shop.parquet("data/events/a.parquet", with(Arc::new(Int8Array::from(vec![1, 2, 3]))));
    let mut wide = with(Arc::new(Int64Array::from(vec![1_000, 2_000, 3_000])));
    wide[0].1 = Arc::new(LargeStringArray::from(vec!["ana", "bob", "ana"]));
    wide.reverse();
    shop.parquet("data/events/b.parquet", wide);
    assert_eq!(shop.members("sum(item of buy) = 2_002"), ["bob"]);
}

#[test]
fn repeats_collapse_by_their_id() {
    let shop = Shop::new(
        &PLAIN.replace("    source: shop\n", "    source: shop\n    event_id: id\n    filter: item ≠ test\n"),
    );
    shop.parquet(
        "data/events/a.parquet",
        vec![
            ("customer", all(&["ana", "ana", "ana", "ana", "bob", "bob", "bob"])),
            ("time", ago(&[3, 2, 2, 9, 1, 1, 1])),
            ("event", all(&["buy"; 7])),
            ("item", all(&["b", "a", "x", "test", "z", "y", "y"])),
            ("id", texts(&[Some("1"), Some("1"), None, Some("1"), Some("1"), Some("1"), None])),
        ],
    );
    assert_eq!(shop.members("buy = 2"), ["ana", "bob"]);
    assert_eq!(shop.members("buy where (item = b)"), ["ana"], "the earliest counts");
    assert_eq!(shop.members("buy where (item = a)"), [""; 0]);
    assert_eq!(shop.members("buy where (item = z)"), [""; 0], "at one instant the smallest counts");
    assert_eq!(shop.run("buy").unwrap().report.sources[0].rows, 7);
}
