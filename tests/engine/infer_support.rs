//! Small Parquet files for the tests of `init`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// 2026-03-01T00:00Z in microseconds.
pub const MARCH: i64 = 1_772_323_200_000_000;
/// 2026-11-21T00:00Z in microseconds.
pub const NOVEMBER: i64 = 1_795_219_200_000_000;
pub const HOUR: i64 = 3_600_000_000;

/// Writes a file with these columns.
pub fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(500)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// One instant an hour from March on.
pub fn hours(n: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values((0..n).map(|i| MARCH + HOUR * i as i64)).with_timezone("UTC"))
}

/// Runs the binary.
pub fn segue(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.args(args).env_remove("SEGUE_PROJECT").env("NO_COLOR", "1");
    command.output().unwrap()
}

/// Standard output of a call that must succeed.
pub fn succeeds(args: &[&str]) -> String {
    let output = segue(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {error}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and standard error of a call that must fail.
pub fn fails(args: &[&str]) -> (i32, String) {
    let output = segue(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!error.contains("panicked"), "{error}");
    (output.status.code().unwrap(), error)
}

/// Runs init without questions and gives the catalog, which loads without findings, and its text.
pub fn init(root: &Path, more: &[&str]) -> (segue::language::catalog::Catalog, String) {
    let mut args = vec!["init", root.to_str().unwrap(), "--yes"];
    args.extend(more);
    succeeds(&args);
    load(root)
}

pub fn load(root: &Path) -> (segue::language::catalog::Catalog, String) {
    let project = segue::project::load(root).unwrap();
    assert!(project.diagnostics.is_empty(), "{:#?}", project.diagnostics);
    let text = std::fs::read_to_string(root.join("catalog.yaml")).unwrap();
    (project.catalog, text)
}

/// A fresh folder.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_path_buf();
    (dir, path)
}

/// The sizes of the audiences of a project, by rule, as of now; it must check and run.
pub fn audiences(root: &Path) -> Vec<(String, usize)> {
    let mut project = segue::project::load(root).unwrap();
    let checked = project.check(None);
    assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
    let zone = segue::language::calendar::Zone::new(&project.file.timezone).unwrap();
    let clock = segue::language::calendar::Clock { as_of: NOVEMBER, zone };
    let request = segue::engine::Request {
        catalog: &project.catalog,
        program: &checked.program,
        clock: &clock,
        root: &project.root,
        population: true,
        history: None,
        limits: segue::engine::Limits::default(),
        keep: Default::default(),
        progress: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcome = runtime.block_on(segue::engine::run(request)).unwrap();
    let shown = checked.program.rules.iter().enumerate().filter(|(_, rule)| !rule.is_hidden());
    shown.map(|(i, rule)| (rule.name.clone(), outcome.size(i))).collect()
}
