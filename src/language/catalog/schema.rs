//! JSON Schemas of the YAML kinds, for editors.
//!
//! The schemas come from the same declarations as the readers, so they describe what is read.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::raw;

/// The schema of `segue.yaml`.
pub fn project() -> Value {
    of::<raw::Project>()
}

/// The schema of `catalog.yaml`.
pub fn catalog() -> Value {
    of::<raw::Catalog>()
}

/// The schema of any record.
pub fn of<T: schemars::JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}
