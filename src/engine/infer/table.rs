//! A table as `init` sees it: files, columns, a sample of rows.
//!
//! Owns: the coarse kinds of columns, and values in one form each whatever the file's encoding.
//! Must not know: what a column is for.

use std::collections::BTreeSet;
use std::path::PathBuf;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, FixedSizeBinaryArray, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, SchemaRef, TimeUnit};

/// What a column holds, coarsely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Float,
    /// A decimal with this many places.
    Decimal(u8),
    YesNo,
    Date,
    Instant,
    TextList,
    /// Sixteen bytes.
    Uuid,
    /// What the language has no type for, in words.
    Other(String),
}

impl Kind {
    pub fn of(ty: &DataType) -> Kind {
        match ty {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            DataType::Dictionary(_, value) => Kind::of(value),
            t if t.is_integer() => Kind::Integer,
            t if t.is_floating() => Kind::Float,
            DataType::Decimal32(_, s)
            | DataType::Decimal64(_, s)
            | DataType::Decimal128(_, s)
            | DataType::Decimal256(_, s) => u8::try_from(*s).map_or(Kind::Float, Kind::Decimal),
            DataType::Boolean => Kind::YesNo,
            DataType::Date32 | DataType::Date64 => Kind::Date,
            DataType::Timestamp(_, _) => Kind::Instant,
            DataType::List(f) | DataType::LargeList(f) if Kind::of(f.data_type()) == Kind::Text => Kind::TextList,
            DataType::FixedSizeBinary(16) => Kind::Uuid,
            DataType::Struct(_) => Kind::Other("a structure".to_owned()),
            DataType::Map(_, _) => Kind::Other("a map".to_owned()),
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => {
                Kind::Other("a list of something else than text".to_owned())
            }
            DataType::Time32(_) | DataType::Time64(_) => Kind::Other("a time of day".to_owned()),
            DataType::Duration(_) | DataType::Interval(_) => Kind::Other("a duration".to_owned()),
            DataType::Null => Kind::Other("nothing".to_owned()),
            _ => Kind::Other("binary".to_owned()),
        }
    }
}

/// A table: one file, or a folder of files with the same columns.
#[derive(Debug, Clone)]
pub struct Table {
    /// A valid name, unique among the tables.
    pub name: String,
    /// As the catalog says it.
    pub path: String,
    pub files: Vec<FilePart>,
    pub rows: u64,
    /// Columns of the files, then hive partitions.
    pub columns: Vec<Column>,
    /// Columns that some files lack.
    pub lacking: BTreeSet<String>,
    /// Sampled rows; one array a column, in the order of `columns`.
    pub sample: Vec<Vec<ArrayRef>>,
    /// The sample is the whole table.
    pub sample_is_all: bool,
}

#[derive(Debug, Clone)]
pub struct FilePart {
    pub path: PathBuf,
    pub schema: SchemaRef,
    /// Rows of each row group.
    pub groups: Vec<u64>,
    pub partitions: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// Lower case, words joined by `_`: how columns of different tables are compared.
    pub plain: String,
    pub kind: Kind,
    /// A hive partition: its values stand in the paths.
    pub partition: bool,
    pub facts: super::scan::Facts,
}

impl Column {
    pub fn new(name: String, kind: Kind, partition: bool) -> Column {
        Column { plain: super::names::plain(&name), name, kind, partition, facts: super::scan::Facts::default() }
    }
}

impl Table {
    /// The column with this raw name, or else with this name in any spelling.
    pub fn column(&self, name: &str) -> Option<usize> {
        let plain = super::names::plain(name);
        self.columns.iter().position(|c| c.name == name).or_else(|| self.columns.iter().position(|c| c.plain == plain))
    }
}

/// The values of one array in a form that does not depend on the file.
pub enum Cells {
    Text(StringArray),
    Integer(Int64Array),
    Float(Float64Array),
    YesNo(BooleanArray),
    Date(Date32Array),
    Instant(TimestampMicrosecondArray),
    List(ListArray),
    Uuid(FixedSizeBinaryArray),
    /// Only presence is known.
    Other(ArrayRef),
}

impl Cells {
    pub fn of(array: &ArrayRef, kind: &Kind) -> Cells {
        let list = DataType::List(Field::new("item", DataType::Utf8, true).into());
        let to = match kind {
            Kind::Text => DataType::Utf8,
            Kind::Integer => DataType::Int64,
            Kind::Float | Kind::Decimal(_) => DataType::Float64,
            Kind::YesNo => DataType::Boolean,
            Kind::Date => DataType::Date32,
            Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::TextList => list,
            Kind::Uuid | Kind::Other(_) => array.data_type().clone(),
        };
        // A zone is taken off: the instants are UTC either way.
        let Ok(array) = cast(array, &to) else { return Cells::Other(array.clone()) };
        match kind {
            Kind::Text => array.as_string_opt::<i32>().cloned().map(Cells::Text),
            Kind::Integer => array.as_primitive_opt().cloned().map(Cells::Integer),
            Kind::Float | Kind::Decimal(_) => array.as_primitive_opt().cloned().map(Cells::Float),
            Kind::YesNo => array.as_boolean_opt().cloned().map(Cells::YesNo),
            Kind::Date => array.as_primitive_opt().cloned().map(Cells::Date),
            Kind::Instant => array.as_primitive_opt().cloned().map(Cells::Instant),
            Kind::TextList => array.as_list_opt::<i32>().cloned().map(Cells::List),
            Kind::Uuid => array.as_fixed_size_binary_opt().cloned().map(Cells::Uuid),
            Kind::Other(_) => None,
        }
        .unwrap_or(Cells::Other(array))
    }

    /// Whether row `i` has a value; empty text has none, and NaN.
    pub fn has(&self, i: usize) -> bool {
        match self {
            Cells::Text(a) => a.is_valid(i) && !a.value(i).is_empty(),
            Cells::Float(a) => a.is_valid(i) && !a.value(i).is_nan(),
            Cells::Integer(a) => a.is_valid(i),
            Cells::YesNo(a) => a.is_valid(i),
            Cells::Date(a) => a.is_valid(i),
            Cells::Instant(a) => a.is_valid(i),
            Cells::List(a) => a.is_valid(i),
            Cells::Uuid(a) => a.is_valid(i),
            Cells::Other(a) => a.is_valid(i),
        }
    }

    /// A hash of the value of row `i`, which has one.
    pub fn hash(&self, i: usize) -> u64 {
        match self {
            Cells::Text(a) => hash_bytes(a.value(i).as_bytes()),
            Cells::Integer(a) => mix(a.value(i).cast_unsigned()),
            Cells::Float(a) => mix(a.value(i).to_bits()),
            Cells::YesNo(a) => mix(u64::from(a.value(i))),
            Cells::Date(a) => mix(i64::from(a.value(i)).cast_unsigned()),
            Cells::Instant(a) => mix(a.value(i).cast_unsigned()),
            Cells::Uuid(a) => hash_bytes(a.value(i)),
            Cells::List(_) | Cells::Other(_) => 0,
        }
    }
}

/// The finaliser of SplitMix64: every bit of the input reaches every bit of the output.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// FNV-1a, mixed.
fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash)
}

/// The arrays of `columns` of the table from a batch of `file`; a hive partition is the same value in every row.
pub fn arrays(table: &Table, file: &FilePart, columns: &[usize], batch: &RecordBatch) -> Vec<ArrayRef> {
    let rows = batch.num_rows();
    let of = |&at: &usize| -> ArrayRef {
        let Some(column) = table.columns.get(at) else { return arrow::array::new_null_array(&DataType::Null, rows) };
        if column.partition {
            let value = file.partitions.iter().find(|(k, _)| *k == column.name).map(|(_, v)| v.as_str());
            let value = value.filter(|v| *v != "__HIVE_DEFAULT_PARTITION__");
            return std::sync::Arc::new(StringArray::from(vec![value; rows]));
        }
        match batch.column_by_name(&column.name) {
            Some(array) => array.clone(),
            None => arrow::array::new_null_array(&DataType::Null, rows),
        }
    };
    columns.iter().map(of).collect()
}
