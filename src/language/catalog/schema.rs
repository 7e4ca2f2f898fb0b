//! JSON Schemas of the YAML kinds, for editors.
//!
//! Owns: the list of kinds. The schemas come from the same declarations as the readers.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::raw;

/// A YAML kind: its name, as in `grammar/schemas/NAME.schema.json`, and its schema.
pub struct YamlKind {
    pub name: &'static str,
    pub schema: fn() -> Value,
}

/// Every YAML kind of a project.
pub const KINDS: &[YamlKind] =
    &[YamlKind { name: "segue", schema: project }, YamlKind { name: "catalog", schema: catalog }];

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
