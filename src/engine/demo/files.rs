//! The demo's Parquet files.
//!
//! Owns: their columns and encodings. Promises: the same rows give the same bytes, whatever the machine, the thread or the version
//! of this program that wrote them (the versions of the Parquet and zstd libraries aside).
//! Must not know: how customers behave.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int32Builder, Int64Builder, ListBuilder, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::DataType;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::people::{self, NONE, Period, Person, Profile};
use super::rows::{BLANK, KINDS, Kind, Row};
use super::shop::{CAMPAIGNS, CATEGORIES, CHANNELS, PRODUCTS, REFERRERS, TOPICS};
use crate::error::Error;

/// Decimal digits of money, and how many of them are cents.
const MONEY: (u8, i8) = (10, 2);

/// A Parquet file that batches are added to.
pub(super) struct Table {
    writer: Option<ArrowWriter<File>>,
    path: std::path::PathBuf,
}

impl Table {
    pub(super) fn create(path: &Path) -> Table {
        Table { writer: None, path: path.to_owned() }
    }

    /// Adds rows; the first batch fixes the columns.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let failed = |why: parquet::errors::ParquetError| Error::io("could not write", &self.path, why);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let file = File::create(&self.path).map_err(|why| Error::io("could not create", &self.path, why))?;
                let options = ArrowWriterOptions::new().with_properties(properties()?).with_skip_arrow_metadata(true);
                self.writer.insert(ArrowWriter::try_new_with_options(file, batch.schema(), options).map_err(failed)?)
            }
        };
        writer.write(batch).map_err(failed)
    }

    /// Completes the file and tells its size.
    pub(super) fn finish(self) -> Result<u64, Error> {
        let Some(writer) = self.writer else { return Ok(0) };
        let file = writer.into_inner().map_err(|why| Error::io("could not write", &self.path, why))?;
        let size = file.metadata().map_err(|why| Error::io("could not read", &self.path, why))?.len();
        Ok(size)
    }
}

fn properties() -> Result<WriterProperties, Error> {
    let level = ZstdLevel::try_new(3).map_err(|why| Error::data(why.to_string()))?;
    let time = ColumnPath::from("ts");
    Ok(WriterProperties::builder()
        .set_created_by("segue demo".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(time.clone(), false)
        .set_column_encoding(time, Encoding::DELTA_BINARY_PACKED)
        .build())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, Error> {
    // Every column may be null, whether this batch has nulls or not: all files have one schema.
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .map_err(|why| Error::data(format!("the demo's columns do not fit together: {why}")))
}

/// Builders for the columns of an event file.
struct Events {
    customer: StringBuilder,
    time: TimestampMicrosecondBuilder,
    event: StringBuilder,
    order: Int64Builder,
    product: StringBuilder,
    category: StringBuilder,
    quantity: Int32Builder,
    amount: Decimal128Builder,
    channel: StringBuilder,
    referrer: StringBuilder,
    campaign: StringBuilder,
    machine: BooleanBuilder,
    topic: StringBuilder,
    rating: Int32Builder,
    points: Int32Builder,
}

/// The rows of one day. `midnight` is its first instant in microseconds UTC, `day` its number since 1970-01-01.
pub(super) fn events(rows: &[Row], day: i32, midnight: i64) -> Result<RecordBatch, Error> {
    let mut to = Events {
        customer: StringBuilder::with_capacity(rows.len(), rows.len() * 9),
        time: TimestampMicrosecondBuilder::with_capacity(rows.len()).with_timezone("UTC"),
        event: StringBuilder::with_capacity(rows.len(), rows.len() * 12),
        order: Int64Builder::with_capacity(rows.len()),
        product: StringBuilder::new(),
        category: StringBuilder::new(),
        quantity: Int32Builder::with_capacity(rows.len()),
        amount: Decimal128Builder::with_capacity(rows.len()).with_data_type(DataType::Decimal128(MONEY.0, MONEY.1)),
        channel: StringBuilder::new(),
        referrer: StringBuilder::new(),
        campaign: StringBuilder::new(),
        machine: BooleanBuilder::with_capacity(rows.len()),
        topic: StringBuilder::new(),
        rating: Int32Builder::with_capacity(rows.len()),
        points: Int32Builder::with_capacity(rows.len()),
    };
    let mut id = String::with_capacity(9);
    for row in rows {
        people::write_id(row.customer, &mut id);
        to.customer.append_value(&id);
        to.time.append_value(midnight + i64::from(row.second) * 1_000_000);
        to.event.append_option(KINDS.get(row.kind as usize));
        // Numbers of orders tell the day, the place within it and the customer, so that no two are the same.
        to.order.append_option(
            (row.order > 0)
                .then(|| (i64::from(day) * 100 + i64::from(row.order)) * 100_000_000 + i64::from(row.customer)),
        );
        let product = if row.product == NONE { None } else { PRODUCTS.get(usize::from(row.product)) };
        to.product.append_option(product.map(|p| p.id));
        to.category.append_option(product.and_then(|p| CATEGORIES.get(usize::from(p.category))));
        to.quantity.append_option((row.quantity > 0).then(|| i32::from(row.quantity)));
        let paid = matches!(row.kind, Kind::Purchase | Kind::Return);
        to.amount.append_option(paid.then(|| i128::from(row.amount)));
        to.channel.append_option(word(&CHANNELS, row.channel));
        to.referrer.append_option(word(&REFERRERS, row.referrer));
        to.campaign.append_option(word(&CAMPAIGNS, row.campaign));
        to.machine.append_option((row.kind == Kind::Open).then_some(row.machine));
        to.topic.append_option(word(&TOPICS, row.topic));
        to.rating.append_option((row.rating > 0).then(|| i32::from(row.rating)));
        to.points.append_option((row.points > 0).then_some(row.points));
    }
    batch(vec![
        ("customer_id", Arc::new(to.customer.finish())),
        ("ts", Arc::new(to.time.finish())),
        ("event", Arc::new(to.event.finish())),
        ("order_id", Arc::new(to.order.finish())),
        ("product", Arc::new(to.product.finish())),
        ("category", Arc::new(to.category.finish())),
        ("quantity", Arc::new(to.quantity.finish())),
        ("amount", Arc::new(to.amount.finish())),
        ("channel", Arc::new(to.channel.finish())),
        ("referrer", Arc::new(to.referrer.finish())),
        ("campaign", Arc::new(to.campaign.finish())),
        ("machine", Arc::new(to.machine.finish())),
        ("topic", Arc::new(to.topic.finish())),
        ("rating", Arc::new(to.rating.finish())),
        ("points", Arc::new(to.points.finish())),
    ])
}

fn word(words: &[&'static str], index: u8) -> Option<&'static str> {
    if index == BLANK { None } else { words.get(usize::from(index)).copied() }
}

/// The assortment, as the look-up table of the sample catalog.
pub(super) fn products() -> Result<RecordBatch, Error> {
    let mut id = StringBuilder::new();
    let mut category = StringBuilder::new();
    let mut brand = StringBuilder::new();
    let mut price = Decimal128Builder::new().with_data_type(DataType::Decimal128(MONEY.0, MONEY.1));
    let mut vegan = BooleanBuilder::new();
    for product in &PRODUCTS {
        id.append_value(product.id);
        category.append_option(CATEGORIES.get(usize::from(product.category)));
        brand.append_value(product.brand);
        price.append_value(i128::from(product.price));
        vegan.append_value(product.vegan);
    }
    batch(vec![
        ("product_id", Arc::new(id.finish())),
        ("category", Arc::new(category.finish())),
        ("brand", Arc::new(brand.finish())),
        ("list_price", Arc::new(price.finish())),
        ("vegan", Arc::new(vegan.finish())),
    ])
}

/// Profiles of the customers who have one; `first` is the number of the first person. `midnight` tells the first instant of a day.
pub(super) fn profiles(
    people: &[Person],
    first: u32,
    period: Period,
    midnight: impl Fn(i32) -> i64,
) -> Result<RecordBatch, Error> {
    let mut customer = StringBuilder::new();
    let mut created = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    let mut email = StringBuilder::new();
    let mut country = StringBuilder::new();
    let mut language = StringBuilder::new();
    let mut birth = Date32Builder::new();
    let mut skin = StringBuilder::new();
    let mut member = BooleanBuilder::new();
    let mut tier = StringBuilder::new();
    let mut email_consent = BooleanBuilder::new();
    let mut sms_consent = BooleanBuilder::new();
    let mut push_consent = BooleanBuilder::new();
    let mut tags = ListBuilder::new(StringBuilder::new());
    let mut id = String::new();
    for (number, person) in (first..).zip(people) {
        if !person.traits.profile {
            continue;
        }
        let profile = Profile::new(person, period);
        people::write_id(number, &mut id);
        customer.append_value(&id);
        created.append_value(midnight(person.joined) + profile.joined_second * 1_000_000);
        email.append_value(format!("{id}@shop.example"));
        country.append_option(profile.country);
        language.append_value(profile.language);
        birth.append_option(profile.birth);
        skin.append_option(profile.skin_type);
        member.append_value(person.traits.member);
        tier.append_option(profile.tier);
        email_consent.append_value(profile.email_consent);
        sms_consent.append_option(profile.sms_consent);
        push_consent.append_value(profile.push_consent);
        for tag in profile.tags {
            tags.values().append_value(tag);
        }
        tags.append(true);
    }
    batch(vec![
        ("customer_id", Arc::new(customer.finish())),
        ("created_at", Arc::new(created.finish())),
        ("email", Arc::new(email.finish())),
        ("country", Arc::new(country.finish())),
        ("language", Arc::new(language.finish())),
        ("birth_date", Arc::new(birth.finish())),
        ("skin_type", Arc::new(skin.finish())),
        ("is_member", Arc::new(member.finish())),
        ("loyalty_tier", Arc::new(tier.finish())),
        ("email_consent", Arc::new(email_consent.finish())),
        ("sms_consent", Arc::new(sms_consent.finish())),
        ("push_consent", Arc::new(push_consent.finish())),
        ("tags", Arc::new(tags.finish())),
    ])
}
