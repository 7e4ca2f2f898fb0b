//! The JSON Schemas: committed, current, and in agreement with the readers.

use segue::language::diagnostic::code;
use segue::language::source::Sources;
use segue::language::yaml::{self, Kind, Node};
use segue::project::SCHEMAS;
use serde_json::{Value, json};

use crate::support::{files, root};

/// Rewritten by `SEGUE_UPDATE=1 cargo test`.
#[test]
fn committed_schemas_are_current() {
    let folder = root().join("grammar/schemas");
    let mut stale = Vec::new();
    for (name, schema) in SCHEMAS {
        let path = folder.join(format!("{name}.schema.json"));
        let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
        if std::env::var_os("SEGUE_UPDATE").is_some() {
            std::fs::create_dir_all(&folder).expect("folder");
            std::fs::write(&path, &text).expect("written");
        }
        if std::fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            stale.push(path.display().to_string());
        }
    }
    assert!(stale.is_empty(), "run `SEGUE_UPDATE=1 cargo test` for {}", stale.join(", "));
}

#[test]
fn every_committed_schema_has_its_kind() {
    for path in files(&root().join("grammar/schemas"), "json") {
        let name = path.file_name().expect("named").to_string_lossy().into_owned();
        let known = SCHEMAS.iter().any(|(kind, _)| name == format!("{kind}.schema.json"));
        assert!(known, "{} is the schema of nothing", path.display());
    }
}

#[test]
fn every_yaml_of_the_examples_fits_its_schema() {
    let mut seen = 0;
    for path in files(&root().join("examples"), "yaml") {
        let stem = path.file_stem().expect("named").to_string_lossy().into_owned();
        let in_specs = path.parent().is_some_and(|p| p.ends_with("specs"));
        let kind = if in_specs { "spec" } else { stem.as_str() };
        let Some((_, schema)) = SCHEMAS.iter().find(|(name, _)| *name == kind) else { continue };
        let text = std::fs::read_to_string(&path).expect("text");
        let value = to_json(&text).expect("YAML");
        assert_eq!(problem(&schema(), &schema(), &value), None, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 2, "the examples have YAML files");
}

/// What the shape of a file gets wrong, reader and schema find alike.
pub fn agrees(kind: &str, text: &str, found: &[code::Code]) {
    let (_, schema) = SCHEMAS.iter().find(|(name, _)| *name == kind).expect("a kind");
    let Some(value) = to_json(text) else { return };
    let shape = [code::yaml::TYPE, code::yaml::UNKNOWN_KEY, code::yaml::MISSING_KEY, code::yaml::CHOICE];
    let schema_says = problem(&schema(), &schema(), &value);
    if !found.iter().any(|c| shape.contains(c)) {
        assert_eq!(schema_says, None, "the reader takes the shape of this, the schema does not:\n{text}");
    } else if schema_says.is_none() {
        // What a schema can't say: that a key is needed because of another's value, or a bound on decimal places.
        let beyond = ["lacks `column`", "decimal places", "names nothing"];
        let (codes, messages) = crate::catalog_mistakes::findings(kind, text);
        let mut structural = codes.iter().zip(&messages).filter(|((code, _), _)| shape.contains(code));
        let only_beyond = structural.all(|(_, m)| beyond.iter().any(|b| m.contains(b)));
        assert!(only_beyond, "the schema takes this, the reader does not: {messages:?}\n{text}");
    }
}

/// The YAML as an editor sees it: YAML 1.2 scalars.
fn to_json(text: &str) -> Option<Value> {
    let mut sources = Sources::default();
    let id = sources.add("test.yaml", text);
    let node = yaml::parse(sources.get(id)?, &mut Vec::new())?;
    Some(json_of(&node))
}

fn json_of(node: &Node) -> Value {
    match &node.kind {
        Kind::Null | Kind::Broken => Value::Null,
        Kind::Scalar { text, quoted: true } => json!(text),
        Kind::Scalar { text, .. } => match node.what() {
            "yes or no" => json!(text.eq_ignore_ascii_case("true")),
            "a number" => text
                .parse::<i64>()
                .map(|n| json!(n))
                .or_else(|_| text.parse::<f64>().map(|n| json!(n)))
                .unwrap_or(json!(0)),
            _ => json!(text),
        },
        Kind::List(items) => items.iter().map(json_of).collect(),
        Kind::Map(entries) => {
            let key = |k: &Node| match &k.kind {
                Kind::Scalar { text, .. } => text.clone(),
                _ => String::new(),
            };
            Value::Object(entries.iter().map(|(k, v)| (key(k), json_of(v))).collect())
        }
    }
}

/// The first thing that the schema finds wrong with the value: as much of JSON Schema as ours use, and no keyword unread.
fn problem(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let Value::Object(keywords) = schema else {
        return (schema == &json!(false)).then(|| format!("{value} may not stand here"));
    };
    for (keyword, rule) in keywords {
        let found = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" => None,
            "$ref" => {
                let pointer = rule.as_str().and_then(|r| r.strip_prefix('#')).expect("a local reference");
                problem(root, root.pointer(pointer).expect("a definition"), value)
            }
            "type" => {
                let wanted: Vec<&str> = match rule {
                    Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
                    one => one.as_str().into_iter().collect(),
                };
                let is = |ty: &&str| match *ty {
                    "null" => value.is_null(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    "string" => value.is_string(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    other => panic!("type {other}"),
                };
                (!wanted.iter().any(is)).then(|| format!("{value} is none of {wanted:?}"))
            }
            "enum" => (!rule.as_array().expect("list").contains(value)).then(|| format!("{value} is not in {rule}")),
            "const" => (rule != value).then(|| format!("{value} is not {rule}")),
            "minimum" => {
                value.as_f64().filter(|v| *v < rule.as_f64().expect("number")).map(|v| format!("{v} is too small"))
            }
            "maximum" => {
                value.as_f64().filter(|v| *v > rule.as_f64().expect("number")).map(|v| format!("{v} is too large"))
            }
            "items" => value.as_array().and_then(|items| items.iter().find_map(|v| problem(root, rule, v))),
            "anyOf" | "oneOf" => {
                let all: Vec<_> = rule.as_array().expect("list").iter().map(|s| problem(root, s, value)).collect();
                let fits = all.iter().filter(|p| p.is_none()).count();
                let good = if keyword == "oneOf" { fits == 1 } else { fits > 0 };
                (!good).then(|| format!("{value} fits {fits} of {}", all.len()))
            }
            "required" => value.as_object().and_then(|object| {
                let keys = rule.as_array().expect("list").iter().filter_map(Value::as_str);
                keys.into_iter().find(|k| !object.contains_key(*k)).map(|k| format!("{value} lacks {k}"))
            }),
            "properties" => value.as_object().and_then(|object| {
                let rules = rule.as_object().expect("map");
                object.iter().find_map(|(k, v)| rules.get(k).and_then(|rule| problem(root, rule, v)))
            }),
            "additionalProperties" => value.as_object().and_then(|object| {
                let named = keywords.get("properties").and_then(Value::as_object);
                let more = object.iter().filter(|(k, _)| named.is_none_or(|n| !n.contains_key(*k)));
                more.into_iter().find_map(|(k, v)| problem(root, rule, v).map(|p| format!("{k}: {p}")))
            }),
            other => panic!("the schemas use `{other}`, which this test does not read"),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
