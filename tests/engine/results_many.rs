//! Many who publish at once.

use std::collections::BTreeMap;
use std::time::Duration;

use segue::audience::store::{Committed, Draft, Owner, Table};

use crate::results_support::*;

const PUBLISHERS: u32 = 16;
const ROUNDS: u32 = 100;

#[test]
fn everybody_publishes_in_exactly_one_version() {
    let folder = quick();
    let path = folder.path();
    std::thread::scope(|scope| {
        for publisher in 0..PUBLISHERS {
            scope.spawn(move || {
                run(async {
                    let store = open(path);
                    for round in 0..ROUNDS {
                        let row = format!("{publisher} in {round}");
                        let table = table(std::slice::from_ref(&row));
                        let file = store.stage(Table::Audience, "turn", &[table]).await.expect("staged");
                        let draft = Draft { files: vec![file], ..bare(u64::from(round)) };
                        loop {
                            let base = store.latest().await.expect("whole").map(|v| v.version);
                            if let Committed::Published(_) = store.commit(draft.clone(), base).await.expect("answered")
                            {
                                break;
                            }
                        }
                    }
                });
            });
        }
    });
    run(async {
        let store = open(path);
        let chain = store.chain().await.expect("whole");
        assert_eq!(chain.versions().len() as u32, PUBLISHERS * ROUNDS);
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for version in chain.versions() {
            for id in ids(&store, version.draft.audience("turn").expect("the audience")).await.expect("readable") {
                *seen.entry(id).or_default() += 1;
            }
        }
        assert_eq!(seen.len() as u32, PUBLISHERS * ROUNDS);
        assert!(seen.values().all(|&times| times == 1));
    });
}

#[test]
fn an_orphaned_lock_is_taken_over_by_one_after_the_other() {
    let folder = quick();
    let path = folder.path();
    let owner = |pid: u32, nonce: String| Owner { verb: "run".into(), host: "here".into(), pid, nonce, since: 0 };
    let bound = Duration::from_secs(3_600);
    let mut child = std::process::Command::new("true").spawn().expect("starts");
    let gone = child.id();
    child.wait().expect("ends");
    let _orphan = run(open(path).lock(&owner(gone, "orphan".into()), bound)).expect("free");
    let locked: Vec<u32> = std::thread::scope(|scope| {
        let work = |publisher: u32| {
            run(async {
                let store = open(path);
                let me = owner(std::process::id(), publisher.to_string());
                for _ in 0..100_000 {
                    if let Ok(lock) = store.lock(&me, bound).await {
                        publish_next(&store).await;
                        store.release(lock).await.expect("released");
                        return publisher;
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                u32::MAX
            })
        };
        let threads: Vec<_> = (0..PUBLISHERS).map(|publisher| scope.spawn(move || work(publisher))).collect();
        threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
    });
    assert_eq!(locked, (0..PUBLISHERS).collect::<Vec<_>>());
    assert_eq!(std::fs::read_dir(path.join("locks")).expect("a folder").count(), 0);
    let chain = run(open(path).chain()).expect("whole");
    assert_eq!(chain.versions().len() as u32, PUBLISHERS);
}

/// The next day, however many tries it takes.
async fn publish_next(store: &segue::audience::store::Store) {
    loop {
        let day = store.latest().await.expect("whole").map_or(0, |v| v.version) + 1;
        if let Committed::Published(_) = publish(store, day).await.expect("answered") {
            return;
        }
    }
}
