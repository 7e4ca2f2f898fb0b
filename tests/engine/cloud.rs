//! Data in an S3-compatible store: the same audiences as from the disk, and clear words where the store is not there.
//!
//! The store is moto's: `moto_server`, from the PATH or named by SEGUE_MOTO. SEGUE_S3_ENDPOINT names another that runs already,
//! with a bucket `segue-test` and access in the AWS_… variables. Without either the comparison is skipped, which it says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::aws::AmazonS3Builder;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::support::{copy, root, segue};

pub const BUCKET: &str = "segue-test";

/// A store that runs, for as long as it is held.
pub struct Store {
    pub endpoint: String,
    server: Option<Child>,
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

pub fn store() -> Option<Store> {
    if let Ok(endpoint) = std::env::var("SEGUE_S3_ENDPOINT") {
        return Some(Store { endpoint, server: None });
    }
    let program = std::env::var_os("SEGUE_MOTO").map_or_else(|| PathBuf::from("moto_server"), PathBuf::from);
    let port = free_port();
    let started = Command::new(&program)
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let server = match started {
        Ok(server) => server,
        Err(why) if std::env::var_os("SEGUE_MOTO").is_some() => panic!("{}: {why}", program.display()),
        Err(_) => return None,
    };
    let mut store = Store { endpoint: format!("http://127.0.0.1:{port}"), server: Some(server) };
    let until = Instant::now() + Duration::from_secs(90);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = store.server.as_mut().and_then(|s| s.try_wait().ok().flatten());
        assert!(ended.is_none(), "moto_server ended: {ended:?}");
        assert!(Instant::now() < until, "moto_server does not listen");
        std::thread::sleep(Duration::from_millis(100));
    }
    // The library that the tests upload with makes no buckets; moto lets anyone make one.
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    let request = format!(
        "PUT /{BUCKET} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Some(store)
}

/// Access as the store wants it; moto takes any.
pub fn access() -> [(&'static str, String); 3] {
    let of = |name: &'static str, otherwise: &str| (name, std::env::var(name).unwrap_or_else(|_| otherwise.to_owned()));
    [of("AWS_ACCESS_KEY_ID", "test"), of("AWS_SECRET_ACCESS_KEY", "test"), of("AWS_REGION", "us-east-1")]
}

pub fn bucket(store: &Store) -> Arc<dyn ObjectStore> {
    let [(_, key), (_, secret), (_, region)] = access();
    Arc::new(
        AmazonS3Builder::new()
            .with_endpoint(&store.endpoint)
            .with_allow_http(true)
            .with_bucket_name(BUCKET)
            .with_access_key_id(key)
            .with_secret_access_key(secret)
            .with_region(region)
            .build()
            .expect("a store"),
    )
}

fn upload(store: &Store, folder: &Path, prefix: &str) {
    let bucket = bucket(store);
    let mut open = vec![folder.to_owned()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let key = path.strip_prefix(folder).expect("below").to_string_lossy().replace('\\', "/");
            let bytes = std::fs::read(&path).expect("bytes");
            let at = object_store::path::Path::parse(format!("{prefix}/{key}")).expect("a key");
            runtime.block_on(bucket.put(&at, bytes.into())).expect("uploaded");
        }
    }
}

/// A copy of the example whose catalog says something else.
fn shop(change: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let shop = folder.path().join("shop");
    copy(&root().join("examples/cosmetics"), &shop);
    let catalog = shop.join("catalog.yaml");
    let text = std::fs::read_to_string(&catalog).expect("catalog");
    std::fs::write(catalog, change(text)).expect("written");
    folder
}

/// Everything of the example in the store.
fn moved(text: String) -> String {
    let mut moved = text;
    for path in
        ["data/events ", "data/products.parquet", "data/profiles.parquet", "lists/staff.csv", "lists/suppressed.txt"]
    {
        assert!(moved.contains(path), "the catalog of the example reads `{path}`");
        moved = moved.replace(path, &format!("\"s3://{BUCKET}/demo/{}\" ", path.trim()));
    }
    moved
}

/// `segue run shop`, with this endpoint and nothing else of the caller's access.
fn run(folder: &Path, endpoint: &str, set: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = segue();
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy"))
    {
        command.env_remove(name);
    }
    command.envs(access()).env("AWS_ENDPOINT_URL", endpoint).env("AWS_ALLOW_HTTP", "true");
    command.envs(set.iter().copied());
    command.current_dir(folder).args(["run", "shop"]).args(arguments).output().expect("runs")
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Refused with exit code 4 and these words, and nothing written.
fn refused(folder: &Path, output: &Output, words: &[&str]) {
    let said = err(output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    assert!(!folder.join("shop/out").exists(), "nothing is written");
}

fn written(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder.join("shop/out"))
        .expect("the output")
        .map(|e| e.expect("entry").path())
        .map(|path| {
            (
                path.to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned(),
                std::fs::read(path).expect("bytes"),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_same_audiences_as_from_the_disk() {
    let Some(store) = store() else {
        eprintln!(
            "skipped: no moto_server on the PATH (pip install 'moto[server]'), no SEGUE_MOTO, no SEGUE_S3_ENDPOINT"
        );
        return;
    };
    let example = root().join("examples/cosmetics");
    upload(&store, &example.join("data"), "demo/data");
    upload(&store, &example.join("lists"), "demo/lists");
    let how = ["--format", "json", "--write", "parquet,csv,jsonl", "--limit", "5"];
    let disk = shop(|text| text);
    let from_disk = run(disk.path(), &store.endpoint, &[], &how);
    assert!(from_disk.status.success(), "{}", err(&from_disk));
    let remote = shop(moved);
    for folder in ["data", "lists"] {
        std::fs::remove_dir_all(remote.path().join("shop").join(folder)).expect("gone");
    }
    let from_store = run(remote.path(), &store.endpoint, &[], &how);
    assert!(from_store.status.success(), "{}", err(&from_store));
    // What was published names its inputs, and those are elsewhere.
    let told = |output: &Output| {
        let mut value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(value.as_object_mut().expect("an object").remove("published").is_some());
        value
    };
    assert_eq!(told(&from_disk), told(&from_store));
    assert!(written(disk.path()) == written(remote.path()), "the same bytes");

    // Stars, the whole bucket, and part of it.
    let size = |path: &str| {
        let path = format!("s3://{BUCKET}/{path}");
        let folder = shop(|text| text.replace("path: data/events ", &format!("path: \"{path}\" ")));
        let rule = ["--rule", "visited ≥ 1 ever", "--format", "json"];
        let output = run(folder.path(), &store.endpoint, &[], &rule);
        assert!(output.status.success(), "{path}: {}", err(&output));
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        value["audiences"][0]["size"].as_u64().expect("a size")
    };
    let all = size("demo/data/events");
    assert_eq!(size("demo/data/events/"), all);
    assert_eq!(size("demo/data/events/month=*/*.parquet"), all);
    assert_eq!(size("demo/**/part-*.parquet"), all);
    let one = size("demo/data/events/month=2026-10/part-0.parquet");
    assert!(one > 0 && one < all, "{one} of {all}");

    // What is not there.
    let at = |path: &str| shop(|text| text.replace("path: data/events ", &format!("path: \"{path}\" ")));
    for (path, words) in [
        ("s3://segue-test/demo/dta", &["no object and no `.parquet` file below `s3://segue-test/demo/dta`"][..]),
        ("s3://segue-test/demo/*.parket", &["no object matches"]),
        ("s3://segue-nowhere/demo", &["NoSuchBucket", "is the bucket's name right"]),
        ("s3://segue-test/demo/lists/staff.csv", &["no Parquet file"]),
        ("s3:///demo", &["names no bucket"]),
    ] {
        let folder = at(path);
        let output = run(folder.path(), &store.endpoint, &[], &[]);
        refused(folder.path(), &output, words);
    }
    if store.endpoint.starts_with("http://") {
        let folder = at("s3://segue-test/demo/data/events");
        let output = run(folder.path(), &store.endpoint, &[("AWS_ALLOW_HTTP", "false")], &[]);
        refused(folder.path(), &output, &["AWS_ALLOW_HTTP=true"]);
    }
}

#[test]
fn audiences_are_delivered_there() {
    let Some(store) = store() else {
        eprintln!("skipped: no moto_server");
        return;
    };
    let lake = format!("destinations:\n  lake: {{kind: jsonl, path: 's3://{BUCKET}/lake', mode: delta}}\n");
    let folder = crate::deliver_cli::project(&lake, 1);
    let deliver = || {
        let mut command = segue();
        for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("AWS_") || n.to_lowercase().ends_with("_proxy"))
        {
            command.env_remove(name);
        }
        command.envs(access()).env("AWS_ENDPOINT_URL", &store.endpoint).env("AWS_ALLOW_HTTP", "true");
        command.current_dir(folder.path()).args(["deliver", "vip"]).output().expect("runs")
    };
    let output = deliver();
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "vip → lake: version 1, 24 rows, the first ones\n");
    let bucket = bucket(&store);
    let at = object_store::path::Path::from("lake/vip.delta-00000000-00000001.jsonl");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bytes = runtime.block_on(async { bucket.get(&at).await.expect("there").bytes().await.expect("bytes") });
    assert_eq!(String::from_utf8_lossy(&bytes).lines().count(), 24);
    assert_eq!(String::from_utf8_lossy(&deliver().stdout), "vip → lake: nothing to do, it has version 1\n");
}

#[test]
fn nobody_listens() {
    let folder = shop(moved);
    let before = Instant::now();
    let output = run(folder.path(), &format!("http://127.0.0.1:{}", free_port()), &[], &[]);
    refused(folder.path(), &output, &[&format!("`s3://{BUCKET}/demo/data/events`"), "the store does not answer"]);
    assert!(before.elapsed() < Duration::from_secs(60), "{:?}", before.elapsed());
}

#[test]
fn the_keys_are_wrong() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
                request.extend(byte);
            }
            let body = "<Error><Code>InvalidAccessKeyId</Code><Message>No such key.</Message></Error>";
            let shown = if request.starts_with(b"HEAD") { "" } else { body };
            let head = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{shown}", body.len());
        }
    });
    let folder = shop(moved);
    let output = run(folder.path(), &endpoint, &[], &[]);
    refused(folder.path(), &output, &["No such key. (InvalidAccessKeyId)", "check AWS_ACCESS_KEY_ID"]);
}
