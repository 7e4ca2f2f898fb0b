//! Operations that fail: each once, each for ever, each after it was done; and a disk that is full.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use segue::audience::store::{Keep, Tool};
use segue::error::{Error, Exit};

use crate::results_support::*;
use crate::results_troubled::{Trouble, Troubled};

const DAYS: u64 = 2;

/// Two days, read back, an audience restored, and cleared away.
async fn work(folder: &Path, trouble: Trouble) -> (Result<(), Error>, Vec<&'static str>) {
    let (store, troubled) = Troubled::store(folder, trouble);
    let work = async {
        catch_up(&store, DAYS).await?;
        let chain = store.chain().await?;
        for version in chain.versions() {
            for file in &version.draft.files {
                store.read(file).await?;
            }
        }
        let keep = Keep { from: None, now: i64::MAX, grace: Duration::ZERO, ..Keep::default() };
        store.vacuum(&keep, Tool::default()).await?;
        Ok(())
    };
    let done = work.await;
    let asked = troubled.asked.lock().expect("no panic").clone();
    (done, asked)
}

#[test]
fn every_operation_fails() {
    let expected = {
        let folder = quick();
        run(catch_up(&open(folder.path()), DAYS)).expect("published");
        contents(folder.path())
    };
    let folder = quick();
    let (done, steps) = run(work(folder.path(), Trouble::Never));
    done.expect("no trouble");
    let mut healed = 0;
    for (at, &step) in steps.iter().enumerate() {
        for trouble in [Trouble::Once(at), Trouble::Forever(at), Trouble::Unheard(at)] {
            let folder = quick();
            let (done, _) = run(work(folder.path(), trouble));
            match &done {
                Ok(()) => healed += 1,
                Err(error) => {
                    assert_eq!(error.exit(), Exit::Environment, "{trouble:?}: {error}");
                    assert!(error.help().is_some(), "{trouble:?}: {error}");
                    assert!(error.to_string().contains("the cable is out"), "{trouble:?}: {error}");
                }
            }
            if trouble == Trouble::Unheard(at) && step == "put" {
                assert!(done.is_ok(), "what was written counts, whatever was said: step {at}");
            }
            for (name, sum) in contents(folder.path()) {
                assert_eq!(expected.get(&name), Some(&sum), "{trouble:?} {name}");
            }
            run(async {
                let store = open(folder.path());
                let chain = store.chain().await.expect("whole");
                for version in chain.versions() {
                    sound(&store, version).await;
                }
                catch_up(&store, DAYS).await.expect("published");
            });
            assert_eq!(contents(folder.path()), expected, "{trouble:?}");
        }
    }
    assert!(healed > 0, "{steps:?}");
}

const FULL: &str = "SEGUE_TEST_FULL_DISK";

/// On a small disk that is filled up: each call leaves room for one page more, so that it is full at another step each time.
#[test]
fn on_a_small_disk() {
    let Ok(disk) = std::env::var(FULL) else {
        // Without such a disk: what fits on any.
        let folder = quick();
        run(catch_up(&open(folder.path()), DAYS)).expect("published");
        assert!(!contents(folder.path()).is_empty());
        return;
    };
    let expected = {
        let folder = tempfile::tempdir().expect("a folder");
        run(catch_up(&open(folder.path()), DAYS)).expect("published");
        contents(folder.path())
    };
    let ballast = Path::new(&disk).join("ballast");
    let mut full = 0;
    for pages in 0..=expected.len() + 1 {
        let folder = tempfile::tempdir_in(&disk).expect("a folder");
        // Everything, then some pages less.
        let mut size = 0;
        let file = std::fs::File::create(&ballast).expect("made");
        while std::os::unix::fs::FileExt::write_all_at(&file, &[1; 4_096], size).is_ok() {
            size += 4_096;
        }
        file.set_len(size.saturating_sub(pages as u64 * 4_096)).expect("shorter");
        drop(file);
        let store = open(folder.path());
        if let Err(error) = run(catch_up(&store, DAYS)) {
            full += 1;
            assert!(error.help().is_some_and(|help| help.contains("make room")), "{error} {:?}", error.help());
            assert_eq!(error.exit(), Exit::Environment);
        }
        assert!(std::fs::read_dir(folder.path().join(".aside")).is_ok_and(|mut left| left.next().is_none()));
        for (name, sum) in contents(folder.path()) {
            assert_eq!(expected.get(&name), Some(&sum), "{name}");
        }
        run(async {
            for version in store.chain().await.expect("whole").versions() {
                sound(&store, version).await;
            }
        });
        std::fs::remove_file(&ballast).expect("room");
        run(catch_up(&store, DAYS)).expect("published");
        assert_eq!(contents(folder.path()), expected);
    }
    assert!(full >= expected.len(), "{full}");
    println!("full at {full} steps");
}

fn test_binary() -> PathBuf {
    std::env::current_exe().expect("this binary")
}

#[test]
fn a_full_disk() {
    let place = tempfile::tempdir().expect("a folder");
    let mount =
        "mount -t tmpfs -o size=256k segue \"$0\" && exec \"$1\" results_faults::on_a_small_disk --exact --nocapture";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", mount])
        .arg(place.path())
        .arg(test_binary())
        .env(FULL, place.path())
        .output();
    let said = output.as_ref().map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    if said.contains("running 1 test") {
        assert!(output.is_ok_and(|o| o.status.success()) && said.contains("full at"), "{said}");
    } else {
        eprintln!("no disk may be mounted here: files are limited instead");
    }
}

const LIMITED: &str = "SEGUE_TEST_LIMITED";

/// Where no file may be larger than a kilobyte, a manifest finds no room.
#[test]
fn within_a_limit() {
    let Ok(folder) = std::env::var(LIMITED) else {
        let folder = quick();
        run(catch_up(&open(folder.path()), 1)).expect("published");
        assert!(contents(folder.path()).contains_key("manifests/00000001.json"));
        return;
    };
    let error = run(catch_up(&open(Path::new(&folder)), DAYS)).expect_err("too large");
    assert!(error.to_string().contains("manifests/00000001.json"), "{error}");
    assert!(error.help().is_some_and(|help| help.contains("make room")), "{error} {:?}", error.help());
    println!("no room");
}

#[test]
fn files_that_may_not_grow() {
    let folder = quick();
    let limit = "trap '' XFSZ; ulimit -f 4; exec \"$0\" results_faults::within_a_limit --exact --nocapture";
    let output =
        Command::new("sh").args(["-c", limit]).arg(test_binary()).env(LIMITED, folder.path()).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("no room"), "{said}");
    run(async {
        let store = open(folder.path());
        assert!(store.latest().await.expect("whole").is_none());
        catch_up(&store, DAYS).await.expect("published");
        sound(&store, &store.latest().await.expect("whole").expect("a version")).await;
    });
}
