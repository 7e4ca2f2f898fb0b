//! Stores that were damaged, and what is said of them.

use std::path::Path;

use segue::audience::store::{Store, Table};
use segue::error::Exit;

use crate::results_support::*;

fn manifest(folder: &Path, n: u64) -> std::path::PathBuf {
    folder.join(format!("manifests/{n:08}.json"))
}

/// Three versions, damaged; what a reader is told.
fn damaged(damage: impl FnOnce(&Path)) -> (String, String) {
    let folder = quick();
    run(async {
        catch_up(&open(folder.path()), 3).await.expect("published");
        damage(folder.path());
        let store = open(folder.path());
        let error = store.chain().await.expect_err("damaged");
        // Nobody publishes behind what is damaged.
        assert!(store.latest().await.is_err() && publish(&store, 4).await.is_err());
        assert_eq!(error.exit(), Exit::Environment);
        (
            error.to_string().replace(&*folder.path().to_string_lossy(), "STORE"),
            error.help().unwrap_or_default().to_owned(),
        )
    })
}

#[test]
fn manifests_that_are_none() {
    let change = |n: u64, change: fn(String) -> String| {
        damaged(|folder| {
            let path = manifest(folder, n);
            let text = std::fs::read_to_string(&path).expect("text");
            std::fs::write(path, change(text)).expect("written");
        })
    };
    for (n, edit, words) in [
        (2, (|_| "rubbish".to_owned()) as fn(String) -> String, "is torn or no manifest"),
        (3, |text| text[..text.len() / 2].to_owned(), "is torn or no manifest"),
        (3, |_| String::new(), "is torn or no manifest"),
        (1, |_| "[1, 2]".to_owned(), "is no manifest"),
        (1, |_| "{\"format\": 0}".to_owned(), "is no manifest"),
        (1, |text| text.replace("\"format\": 1", "\"format\": 2"), "was written by a newer Segue (format 2)"),
        (2, |text| text.replace("\"members\": ", "\"members\": 1"), "was changed after it was written"),
        (3, |text| text.replace("\"shop\"", "\"shops\""), "was changed after it was written"),
        (3, |text| text.replace("\"checksum\"", "\"sum\""), "has no checksum"),
    ] {
        let (said, help) = change(n, edit);
        assert!(said.starts_with(&format!("`STORE/manifests/{n:08}.json` {words}")), "{said}");
        assert!(help.contains("backup"), "{help}");
    }
}

#[test]
fn manifests_in_the_wrong_place() {
    let (said, help) = damaged(|folder| std::fs::remove_file(manifest(folder, 2)).expect("gone"));
    assert_eq!(said, "version 2 is missing: there is no `STORE/manifests/00000002.json`, but there was a version 3");
    assert!(help.contains("backup"), "{help}");
    let (said, _) = damaged(|folder| std::fs::remove_file(manifest(folder, 1)).expect("gone"));
    assert!(said.starts_with("version 1 is missing"), "{said}");
    let (said, help) = damaged(|folder| std::fs::write(folder.join("manifests/notes.txt"), "hm").expect("written"));
    assert_eq!(said, "`STORE/manifests/notes.txt` is no manifest");
    assert!(help.contains("move it away"), "{help}");
    let (said, _) = damaged(|folder| std::fs::write(folder.join("manifests/4.json"), "hm").expect("written"));
    assert_eq!(said, "`STORE/manifests/4.json` is no manifest");
    let (said, _) = damaged(|folder| {
        std::fs::copy(manifest(folder, 2), manifest(folder, 3)).expect("copied");
    });
    assert_eq!(said, "`STORE/manifests/00000003.json` says that it is version 2");
    // One of another store, whole in itself.
    let other = quick();
    run(async {
        let store = open(other.path());
        publish(&store, 9).await.expect("answered").published().expect("published");
        publish(&store, 10).await.expect("answered").published().expect("published");
    });
    let (said, _) = damaged(|folder| {
        std::fs::copy(manifest(other.path(), 2), manifest(folder, 2)).expect("copied");
    });
    assert_eq!(said, "`STORE/manifests/00000002.json` does not follow version 1: the checksums differ");
}

#[test]
fn a_store_that_shrinks_below_a_reader() {
    let folder = quick();
    run(async {
        let store = open(folder.path());
        catch_up(&store, 3).await.expect("published");
        std::fs::remove_file(manifest(folder.path(), 3)).expect("gone");
        let error = store.latest().await.expect_err("told").to_string();
        assert!(error.starts_with("version 3 is missing"), "{error}");
        std::fs::remove_dir_all(folder.path()).expect("gone");
        let draft = bare(9);
        assert!(store.commit(draft.clone(), Some(3)).await.is_err());
        let error = open(folder.path()).commit(draft, Some(3)).await.expect_err("told").to_string();
        assert!(error.contains("version 3") && error.contains("is gone"), "{error}");
    });
}

#[test]
fn data_that_is_not_what_it_was() {
    let damage = |damage: fn(&Path)| {
        let folder = quick();
        run(async {
            catch_up(&open(folder.path()), 1).await.expect("published");
            let store: Store = open(folder.path());
            let latest = store.latest().await.expect("whole").expect("a version");
            let file = latest.draft.audience("vip").expect("the audience").clone();
            let path = store.url_or_path(&file).await.expect("a path");
            damage(Path::new(&path));
            let error = store.read(&file).await.expect_err("damaged");
            assert_eq!(error.exit(), Exit::Environment);
            assert!(error.to_string().contains(&file.sha256) && error.help().is_some(), "{error}");
            // Whoever publishes the same rows again heals what is shorter or gone, and everything else stays told.
            let again = store.stage(Table::Audience, "vip", &[table(&members("vip", 1))]).await.expect("staged");
            assert_eq!(again, file);
            (error.to_string(), store.read(&file).await.is_ok())
        })
    };
    let (said, healed) = damage(|path| {
        let bytes = std::fs::read(path).expect("bytes");
        std::fs::write(path, &bytes[..bytes.len() - 7]).expect("written");
    });
    assert!(said.contains("is damaged: it has ") && healed, "{said}");
    let (said, healed) = damage(|path| std::fs::remove_file(path).expect("gone"));
    assert!(said.ends_with("is missing") && healed, "{said}");
    let (said, healed) = damage(|path| {
        let mut bytes = std::fs::read(path).expect("bytes");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).expect("written");
    });
    assert!(said.ends_with("is damaged: its checksum differs") && !healed, "{said}");
}

#[test]
fn files_that_are_not_there_are_not_published() {
    let folder = quick();
    run(async {
        let store = open(folder.path());
        let draft = draft(&store, 1).await.expect("staged");
        let path = store.url_or_path(&draft.files[0]).await.expect("a path");
        std::fs::remove_file(path).expect("gone");
        let error = store.commit(draft, None).await.expect_err("refused");
        assert!(error.to_string().contains("went away before it was published"), "{error}");
        assert!(store.latest().await.expect("whole").is_none());
    });
}
