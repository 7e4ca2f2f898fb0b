//! A store of results in an S3-compatible store.

use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::prefix::PrefixStore;
use segue::audience::store::{Committed, Store};

use crate::cloud::{BUCKET, access, store as server};
use crate::results_support::*;
use crate::support::segue;

#[test]
fn versions_in_a_bucket() {
    let Some(server) = server() else {
        eprintln!("skipped: no moto_server on the PATH, no SEGUE_MOTO, no SEGUE_S3_ENDPOINT");
        return;
    };
    let bucket = || {
        let [(_, key), (_, secret), (_, region)] = access();
        let builder = AmazonS3Builder::new().with_endpoint(&server.endpoint).with_allow_http(true);
        let builder = builder.with_bucket_name(BUCKET).with_region(region);
        let built = builder.with_access_key_id(key).with_secret_access_key(secret).build().expect("a store");
        Store::over(Arc::new(PrefixStore::new(built, "team/results")), "s3://segue-test/team/results")
    };
    let local = quick();
    run(async {
        let (one, two) = (bucket(), bucket());
        assert!(one.latest().await.expect("empty").is_none());
        let late = draft(&two, 2).await.expect("staged");
        assert!(two.latest().await.expect("empty").is_none());
        catch_up(&one, 3).await.expect("published");
        // Who knows of nothing yet is told by the store itself: a manifest is created only if absent.
        assert!(matches!(two.commit(late, None).await, Ok(Committed::Overtaken(by)) if by.version == 3));
        let draft = draft(&two, 4).await.expect("staged");
        assert!(matches!(two.commit(draft.clone(), Some(3)).await, Ok(Committed::Published(_))));
        assert!(matches!(one.commit(draft, Some(3)).await, Ok(Committed::Already(_))));
        let reader = bucket();
        let chain = reader.chain().await.expect("whole");
        for version in chain.versions() {
            sound(&reader, version).await;
        }
        let path = reader.url_or_path(&chain.history()[0]).await.expect("an address");
        assert!(path.starts_with("s3://segue-test/team/results/data/"), "{path}");
        // The same versions as on a disk, to the byte.
        let disk = open(local.path());
        catch_up(&disk, 4).await.expect("published");
        let sums = |chain: &segue::audience::store::Chain| {
            chain.versions().iter().map(|version| version.sha256.clone()).collect::<Vec<_>>()
        };
        assert_eq!(sums(&disk.chain().await.expect("whole")), sums(&chain));
    });
    let call = |arguments: &[&str]| {
        let mut command = segue();
        command.envs(access()).env("AWS_ENDPOINT_URL", &server.endpoint).env("AWS_ALLOW_HTTP", "true");
        let output = command.args(arguments).args(["--store", "s3://segue-test/team/results"]).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(call(&["show", "vip"]).starts_with("vip as of 1970-01-05T01:00:00+01:00, version 4: "));
    assert!(call(&["restore", "1", "--as-of", "1970-02-01"]).starts_with("version 5 has the audiences of version 1"));
    assert!(
        call(&["vacuum", "--keep", "0d", "--grace", "0h", "--apply"]).starts_with("cleared away 4 versions (1 to 4)")
    );
    assert!(call(&["log"]).contains("cleared away"));
}
