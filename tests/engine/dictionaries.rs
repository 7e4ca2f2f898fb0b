//! Columns of few texts, as other writers put them into files.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::encode_arrow_schema;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::engine_support::{DAY, NOW, Shop};

const ROWS: usize = 500;

/// Events of fifty customers whose items are of a Parquet type.
fn write(shop: &Shop, ty: &str, properties: WriterProperties, item: &dyn Fn(usize) -> String) {
    let schema = format!(
        "message events {{
            required binary customer (UTF8);
            required int64 time (TIMESTAMP(MICROS,true));
            required binary event (UTF8);
            required binary item {ty};
        }}"
    );
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    std::fs::create_dir_all(shop.path("data/events")).unwrap();
    let file = std::fs::File::create(shop.path("data/events/1.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let times: Vec<i64> = (0..ROWS).map(|row| NOW - DAY * (1 + row as i64 % 9)).collect();
    let texts = |text: &dyn Fn(usize) -> String| -> Vec<ByteArray> {
        (0..ROWS).map(|row| ByteArray::from(text(row).into_bytes())).collect()
    };
    let columns = [texts(&|row| format!("c{}", row % 50)), Vec::new(), texts(&|_| "buy".into()), texts(item)];
    for texts in columns {
        let mut column = group.next_column().unwrap().unwrap();
        if texts.is_empty() {
            column.typed::<Int64Type>().write_batch(&times, None, None).unwrap();
        } else {
            column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

fn check(ty: &str, properties: WriterPropertiesBuilder, item: &dyn Fn(usize) -> String) {
    let shop = Shop::plain();
    write(&shop, ty, properties.build(), item);
    let wanted: BTreeSet<String> =
        (0..ROWS).filter(|row| item(*row) == "x1").map(|row| format!("c{}", row % 50)).collect();
    let found: BTreeSet<String> = shop.members("buy where (item = x1) in 30d").into_iter().collect();
    assert!(found == wanted && !wanted.is_empty(), "{ty:?}: {found:?}");
}

fn few(row: usize) -> String {
    format!("x{}", row % 7 % 3 + row % 11)
}

#[test]
fn text_by_whatever_name() {
    let arrow = Schema::new(vec![
        Field::new("customer", DataType::Utf8, false),
        Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Field::new("event", DataType::Utf8, false),
        Field::new("item", DataType::Utf8, false),
    ]);
    let says = KeyValue::new("ARROW:schema".to_owned(), encode_arrow_schema(&arrow));
    for dictionary in [true, false] {
        let builder = || WriterProperties::builder().set_dictionary_enabled(dictionary);
        check("(UTF8)", builder(), &few);
        check("(JSON)", builder(), &few);
        // Bytes that only Arrow calls text.
        check("", builder().set_key_value_metadata(Some(vec![says.clone()])), &few);
    }
}

/// A dictionary that was full, so that the pages behind it hold the texts themselves.
#[test]
fn pages_without_dictionary_behind_a_small_one() {
    let small = WriterProperties::builder().set_dictionary_page_size_limit(16).set_write_batch_size(8);
    check("(UTF8)", small.set_data_page_row_count_limit(20), &|row| format!("x{}", row % 100));
}
