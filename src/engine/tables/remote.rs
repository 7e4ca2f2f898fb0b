//! Files in an object store.
//!
//! Owns: addresses, connecting, listing, and what is said of a store that refuses or does not answer. Promises: access comes from
//! the environment only; who waits for a store that is not there gets an error within half a minute.

use std::error::Error as Cause;
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use super::files::{Found, Listing, Stores, has_glob, hive, is_parquet, matches};
use crate::error::Error;

/// Lists the files of an address.
pub async fn list(stores: &mut Stores, path: &str, what: &str) -> Result<Listing, Error> {
    let failed = format!("{what}: cannot read `{path}`");
    let Address { start: address, scheme, bucket, key } = address(path, &failed)?;
    let store = match stores.stores.get(&address) {
        Some(store) => Arc::clone(store),
        None => {
            let store = connect(&scheme, &bucket, path, what)?;
            stores.stores.insert(address.clone(), Arc::clone(&store));
            store
        }
    };
    let fixed: Vec<&str> = key.split('/').take_while(|part| !has_glob(part)).collect();
    let glob = has_glob(key);
    let prefix = prefix(&fixed.join("/"));
    let one = if glob || prefix.as_ref().is_empty() || key.ends_with('/') {
        None
    } else {
        head(&store, &prefix, &failed).await?
    };
    let single = one.is_some();
    let metas: Vec<ObjectMeta> = match one {
        Some(meta) => vec![meta],
        None => store.list(Some(&prefix)).try_collect().await.map_err(|e| trouble(&failed, &e))?,
    };
    let pattern: Vec<String> = key.split('/').skip(fixed.len()).map(str::to_owned).collect();
    let mut files = Vec::new();
    for meta in metas {
        let below: Vec<String> = match meta.location.prefix_match(&prefix) {
            Some(parts) if !single => parts.map(|p| p.as_ref().to_owned()).collect(),
            _ => Vec::new(),
        };
        let hidden = below.iter().any(|p| p.starts_with(['.', '_']) && !p.contains('='));
        let wanted = if glob { matches(&below, &pattern) } else { single || is_parquet(meta.location.as_ref()) };
        if hidden || !wanted {
            continue;
        }
        let shown = format!("{address}/{}", meta.location);
        files.push(Found { hive: hive(below.iter().map(String::as_str)), meta, shown, disk: None, stamp: None });
    }
    if files.is_empty() {
        let (why, help) = match glob {
            true => ("no object matches", "`*` stays within a folder's name, `**` crosses folders"),
            false => (
                "no object and no `.parquet` file below",
                "an address is that of one object, or of a folder that is searched with all folders below it",
            ),
        };
        return Err(Error::data(format!("{what}: {why} `{path}`")).with_help(help));
    }
    files.sort_by(|a, b| a.meta.location.cmp(&b.meta.location));
    let url = ObjectStoreUrl::parse(&address).map_err(|e| bad(&failed, &e))?;
    Ok(Listing { store, url, files })
}

/// The bucket of an address without stars, the address's start (`s3://bucket`), and what stands behind it.
pub(crate) fn open(path: &str, what: &str) -> Result<(Arc<dyn ObjectStore>, String, Path), Error> {
    let Address { start, scheme, bucket, key } = address(path, &format!("{what} can't be at `{path}`"))?;
    Ok((connect(&scheme, &bucket, path, what)?, start, prefix(key)))
}

/// An address in its parts.
struct Address<'a> {
    /// `s3://bucket`
    start: String,
    scheme: String,
    bucket: String,
    key: &'a str,
}

fn address<'a>(path: &'a str, failed: &str) -> Result<Address<'a>, Error> {
    let bad = |why: &dyn std::fmt::Display| bad(failed, why);
    let (start, key) = split(path);
    let url = Url::parse(start).map_err(|e| bad(&e))?;
    let bucket = url.host_str().filter(|b| !b.is_empty()).ok_or_else(|| bad(&"it names no bucket"))?;
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
        return Err(bad(&"between `://` and the first `/` stands the bucket alone"));
    }
    let (scheme, bucket) = (url.scheme().to_owned(), bucket.to_owned());
    Ok(Address { start: format!("{scheme}://{bucket}"), scheme, bucket, key })
}

fn bad(failed: &str, why: &dyn std::fmt::Display) -> Error {
    Error::data(format!("{failed}: {why}")).with_help("an address is `s3://bucket/path`")
}

/// As it stands if it can stand so: a `%` in a key is not escaped once more.
fn prefix(key: &str) -> Path {
    Path::parse(key).unwrap_or_else(|_| Path::from(key))
}

/// `s3://bucket` and what stands behind the slash after it.
fn split(path: &str) -> (&str, &str) {
    let from = path.find("://").map_or(0, |at| at + "://".len());
    let slash = path.get(from..).and_then(|rest| rest.find('/')).map(|at| from + at);
    match slash.and_then(|at| path.split_at_checked(at)) {
        Some((start, key)) => (start, key.strip_prefix('/').unwrap_or(key)),
        None => (path, ""),
    }
}

/// The object of just this name, if there is one.
async fn head(store: &Arc<dyn ObjectStore>, at: &Path, failed: &str) -> Result<Option<ObjectMeta>, Error> {
    use object_store::Error as Store;
    match store.head(at).await {
        Ok(meta) => Ok(Some(meta)),
        // A refusal has no text here; the listing that follows says it with its reason.
        Err(Store::NotFound { .. } | Store::PermissionDenied { .. } | Store::Unauthenticated { .. }) => Ok(None),
        Err(why) => Err(trouble(failed, &why)),
    }
}

/// What a store said, or why it said nothing, in one line with a cure.
pub(crate) fn trouble(failed: &str, error: &object_store::Error) -> Error {
    let whole = error.to_string();
    let between = |open: &str, close: &str| {
        let (_, rest) = whole.split_once(open)?;
        rest.split_once(close).map(|(text, _)| text.trim())
    };
    let code = between("<Code>", "</Code>");
    let why = match (code, between("<Message>", "</Message>")) {
        (Some(code), Some(message)) => format!("{message} ({code})"),
        (Some(code), None) => code.to_owned(),
        _ => root(error),
    };
    let said = |part: &str| whole.contains(part) || why.contains(part);
    let help = if code == Some("NoSuchBucket") {
        "is the bucket's name right, and is AWS_ENDPOINT_URL that of its store?"
    } else if said("169.254.") || why.contains("credential") {
        "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public bucket"
    } else if code
        .is_some_and(|c| c.contains("Redirect") || c.contains("Region") || c == "AuthorizationHeaderMalformed")
        || said("configured region")
    {
        "is AWS_REGION the region of the bucket?"
    } else if said("403 Forbidden") || said("401 Unauthorized") {
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, and whether they may list and read there"
    } else if said("URL scheme is not allowed") {
        "an endpoint without TLS is used only with AWS_ALLOW_HTTP=true"
    } else if matches!(error, object_store::Error::NotFound { .. }) {
        "it was not there, or went away while it was read"
    } else {
        "the store does not answer; is there a network, and are AWS_ENDPOINT_URL and AWS_REGION right?"
    };
    Error::data(format!("{failed}: {why}")).with_help(help)
}

/// The innermost reason, in one line.
fn root(error: &dyn Cause) -> String {
    let mut at = error;
    while let Some(inner) = at.source() {
        at = inner;
    }
    at.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a store other than the local disk said, if that is the reason.
pub(crate) fn of_a_store<'a>(error: &'a (dyn Cause + 'static)) -> Option<&'a object_store::Error> {
    use object_store::Error as Store;
    let mut at = Some(error);
    while let Some(error) = at {
        // The local disk answers with what the system says.
        match error.downcast_ref::<Store>() {
            Some(Store::Generic { store: "LocalFileSystem", .. }) => return None,
            Some(found) if !found.source().is_some_and(|why| why.is::<std::io::Error>()) => return Some(found),
            _ => at = error.source(),
        }
    }
    None
}

#[cfg(feature = "cloud")]
fn connect(scheme: &str, bucket: &str, path: &str, what: &str) -> Result<Arc<dyn ObjectStore>, Error> {
    use std::time::Duration;

    use object_store::RetryConfig;
    use object_store::aws::AmazonS3Builder;

    if scheme != "s3" {
        return Err(Error::data(format!("{what}: `{path}` is in a store of an unknown kind"))
            .with_help("`s3://bucket/…` is the address of an S3-compatible store"));
    }
    let retry = RetryConfig { max_retries: 5, retry_timeout: Duration::from_secs(15), ..RetryConfig::default() };
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
    let store = builder.build().map_err(|e| trouble(&format!("{what}: cannot reach `{path}`"), &e))?;
    Ok(Arc::new(store))
}

#[cfg(not(feature = "cloud"))]
fn connect(_: &str, _: &str, path: &str, what: &str) -> Result<Arc<dyn ObjectStore>, Error> {
    Err(Error::data(format!("{what}: `{path}` is in an object store, and this build of Segue reads local files only"))
        .with_help("build it with the feature `cloud`: `cargo build --features cloud`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (path, parts) in [
            ("s3://b", ("s3://b", "")),
            ("s3://b/", ("s3://b", "")),
            ("s3://b/a/*.parquet", ("s3://b", "a/*.parquet")),
            ("s3:///a", ("s3://", "a")),
        ] {
            assert_eq!(split(path), parts, "{path}");
        }
    }

    #[test]
    fn what_a_store_says() {
        let said = |text: &str| {
            let error = object_store::Error::Generic { store: "S3", source: text.to_owned().into() };
            let error = trouble("source `x`: cannot read `s3://b/x`", &error);
            (error.to_string(), error.help().unwrap_or_default().to_owned())
        };
        let (text, help) = said("404 Not Found: <Error><Code>NoSuchBucket</Code><Message>No bucket.</Message></Error>");
        assert_eq!(text, "source `x`: cannot read `s3://b/x`: No bucket. (NoSuchBucket)");
        assert!(help.contains("bucket's name"), "{help}");
        let (text, help) = said("a\n  b");
        assert!(text.ends_with(": a b") && help.contains("does not answer"), "{text} {help}");
    }
}
