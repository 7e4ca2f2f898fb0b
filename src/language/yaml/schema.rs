//! The JSON Schemas of what the readers read.
//!
//! Owns: the schemas of the readers' own types, and what the schema of a record has beside that of its fields.
//! Promises: a schema takes what the reader takes, and no more as far as a schema can say it.
//! Must not know: what any key means.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::read::{At, Entries, Literal, Needed, OneOrMany};

/// Takes null out of the properties of a record's schema: a key may be left out, but where it is written it has a value.
pub fn written(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|all| all.values_mut()).filter_map(Value::as_object_mut) {
        let null = json!({"type": "null"});
        for (keyword, null) in [("type", json!("null")), ("enum", Value::Null), ("anyOf", null)] {
            let Some(Value::Array(choices)) = property.get_mut(keyword) else { continue };
            choices.retain(|choice| *choice != null);
            if choices.len() > 1 {
                continue;
            }
            match (choices.pop(), keyword) {
                (Some(Value::Object(only)), "anyOf") => {
                    property.remove(keyword);
                    property.extend(only);
                }
                (Some(only), "type") => _ = property.insert(keyword.to_owned(), only),
                (only, _) => choices.extend(only),
            }
        }
    }
}

// The places of values are no part of a schema.
impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl JsonSchema for Literal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one}]})
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Entries_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let entry = generator.subschema_for::<T>();
        json_schema!({"type": "object", "additionalProperties": entry})
    }
}

impl<T: JsonSchema> JsonSchema for Needed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
