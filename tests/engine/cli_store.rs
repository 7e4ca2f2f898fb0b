//! `segue store`: what it prints and how it exits.

use serde_json::Value;

use super::engine_support::{PLAIN, Shop, parquet, some_events};
use crate::support::segue;

fn call(shop: &Shop, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = segue().current_dir(shop.dir.path()).args(arguments).output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn compact_add_and_check() {
    let shop = Shop::plain();
    shop.parquet("data/events/a.parquet", some_events());
    let compact = ["store", "compact", "--to", "stores", "--buckets", "2"];
    let (code, out, err) = call(&shop, &compact);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.starts_with("source `shop`: 3 rows of 1 file (") && out.contains("now part 1 of `stores/shop`: "),
        "{out}"
    );
    let (code, out, _) = call(&shop, &compact);
    assert_eq!((code, out.as_str()), (Some(0), "source `shop`: nothing new, `stores/shop` is as it was\n"));
    shop.parquet("data/events/b.parquet", some_events());
    let (code, out, _) = call(&shop, &[&compact[..], &["--format", "json"]].concat());
    let value: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &value["schema"]), (Some(0), &Value::from(1)));
    let store = &value["stores"][0];
    assert_eq!((&store["part"], &store["rows"], &store["files"]), (&2.into(), &3.into(), &2.into()));
    let (code, out, _) = call(&shop, &["store", "check", "stores"]);
    assert!(code == Some(0) && out.contains("6 rows in 2 parts and 4 files (") && out.ends_with(": sound\n"), "{out}");
    // Through a project whose catalog names it.
    let (code, _, err) = call(&shop, &["store", "check"]);
    assert!(code == Some(4) && err.contains("no source of the catalog is a compacted store"), "{err}");
    std::fs::write(shop.path("catalog.yaml"), PLAIN.replace("data/events", "stores/shop")).unwrap();
    std::fs::remove_file(shop.path("stores/shop/part-0002/bucket-0001-of-0002.parquet")).unwrap();
    let (code, out, _) = call(&shop, &["store", "check", "--format", "json"]);
    let value: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, Some(1));
    assert_eq!(value["stores"][0]["problems"][0]["file"], "part-0002/bucket-0001-of-0002.parquet");
    assert_eq!(value["stores"][0]["problems"][0]["what"], "it is not there");
    // What is not whole is not added to.
    let again = [&compact[..], &["--from", "data/events"]].concat();
    let (code, _, err) = call(&shop, &again);
    assert!(code == Some(5) && err.contains("bucket-0001-of-0002.parquet` is gone or was changed"), "{err}");
    let (code, out, err) = call(&shop, &[&again[..], &["--full"]].concat());
    assert!(code == Some(0) && out.contains("6 rows of 2 files"), "{out} {err}");
}

#[test]
fn refusals() {
    let shop = Shop::plain();
    parquet(&shop.parquet("data/events/a.parquet", some_events()), some_events());
    for (arguments, code, said) in [
        (&["store"][..], 2, "Usage: segue store"),
        (&["store", "compact"], 2, "--to <DIR>"),
        (&["store", "compact", "--to", "data/events/store"], 2, "lies in the folder of its own files"),
        (&["store", "compact", "--to", "s", "--buckets", "5"], 2, "5 is no number of files"),
        (&["store", "compact", "--to", "s", "--memory-limit", "1MB"], 2, "at least 64 MB"),
        (&["store", "compact", "--to", "s", "--source", "x"], 2, "it has: shop"),
        (&["store", "compact", "--to", "s", "--from", "elsewhere"], 4, "elsewhere"),
        (&["store", "check", "nowhere"], 4, "nothing at `nowhere`"),
        (&["store", "check", "data"], 4, "there is no compacted store in `data`"),
    ] {
        let (found, _, err) = call(&shop, arguments);
        assert!(found == Some(code) && err.contains(said), "{arguments:?} {found:?} {err}");
    }
    assert!(!shop.path("s").exists());
}
