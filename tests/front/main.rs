//! Tests of the front end: no engine feature is needed.

mod calendar;
mod calendar_zones;
mod catalog_load;
mod catalog_mistakes;
mod catalog_schema;
mod check_ir;
mod check_mistakes;
mod check_order;
mod check_sequences;
mod check_sound;
mod check_support;
mod check_values;
mod cli_basics;
mod cli_check;
mod cli_exit;
mod cli_picture;
mod cli_render;
mod codes;
mod example_specs;
mod format_files;
mod format_language;
mod format_layout;
#[allow(dead_code)]
#[path = "../generate/mod.rs"]
mod generate;
mod interpret;
mod interpret_chains;
mod interpret_ranks;
mod interpret_spans;
mod interpret_support;
mod interpret_values;
mod metamorphic;
mod project_files;
mod reference;
mod reference_page;
mod sample;
mod spec;
mod support;
mod syntax_hostile;
mod syntax_support;
mod syntax_timeline;
mod syntax_tree;
mod syntax_words;
mod syntax_wrong;
mod tidy;
mod yaml_hostile;
