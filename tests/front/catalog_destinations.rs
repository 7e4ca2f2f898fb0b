//! `destinations:` of a catalog: what is read, and what is refused; above all secrets that stand there.

use segue::language::catalog::{Address, Catalog, Files, Mode, SecretRef, To, load as yaml};
use segue::language::diagnostic::render;
use segue::language::source::Sources;

use crate::catalog_mistakes::{check, findings, load};

fn read(text: &str) -> Catalog {
    let mut sources = Sources::default();
    let id = sources.add("catalog.yaml", text);
    let (catalog, found) = yaml::catalog(&mut sources, id);
    assert!(found.is_empty(), "{found:#?}");
    catalog.expect("a catalog")
}

#[test]
fn every_kind() {
    let catalog = read(
        "destinations:\n\
         \x20 crm:\n    kind: postgres\n    url: ${env:CRM_URL}\n    table: marketing.{audience}\n\
         \x20 drop: {kind: csv, path: out/drop, formulas: keep, audiences: [vip, winback]}\n\
         \x20 lake: {kind: parquet, path: 's3://bucket/segue', mode: delta}\n\
         \x20 lines: {kind: jsonl, path: out}\n\
         \x20 hook:\n    kind: webhook\n    url: https://crm.example.org/segue?tenant=7\n    secret: {file: /run/secrets/hook}\n\
         \x20   batch: 1_000\n    rate: 10 per second\n    timeout: 2min\n    mode: full\n\
         \x20 plain: {kind: postgres, url: 'postgres://crm@localhost:5432/db?sslmode=disable'}\n",
    );
    let of = |name: &str| catalog.destinations.iter().find(|d| d.name.name == name).expect("there");
    let To::Postgres { url, table } = &of("crm").to else { panic!("postgres") };
    assert_eq!((url, table.as_str()), (&Address::Secret(SecretRef::Env("CRM_URL".into())), "marketing.{audience}"));
    assert_eq!(of("crm").mode, Mode::Delta);
    let To::Files { kind, path } = &of("drop").to else { panic!("files") };
    assert_eq!((*kind, path.as_str(), of("drop").mode), (Files::Csv { formulas: true }, "out/drop", Mode::Full));
    assert_eq!(of("drop").audiences.as_ref().map(Vec::len), Some(2));
    assert_eq!(of("lake").mode, Mode::Delta);
    let To::Webhook { secret, batch, pause, timeout, .. } = &of("hook").to else { panic!("webhook") };
    assert_eq!(secret, &SecretRef::File("/run/secrets/hook".into()));
    assert_eq!((*batch, *pause, *timeout), (1_000, Some(100_000), 120_000_000));
    let To::Postgres { url: Address::Plain(url), table } = &of("plain").to else { panic!("plain") };
    assert!(url.starts_with("postgres://crm@") && table == "{audience}");
}

fn one(entry: &str) -> String {
    format!("destinations: {{d: {{{entry}}}}}")
}

#[test]
fn shapes() {
    check("catalog", "destinations: {d: }", &["E0208 d"]);
    check("catalog", "destinations: {d: crm}", &["E0206 crm"]);
    check("catalog", &one("path: out"), &["E0208 path"]);
    check("catalog", &one("kind: postgre, url: x"), &["E0210 postgre"]);
    check("catalog", &one("kind: csv"), &["E0208 kind"]);
    check("catalog", &one("kind: csv, path: out, url: x"), &["E0207 url"]);
    check("catalog", &one("kind: csv, path: out/vip.csv"), &["E0222 out/vip.csv"]);
    check("catalog", &one("kind: csv, path: ../out"), &["E0221 ../out"]);
    check("catalog", &one("kind: jsonl, path: out, formulas: keep"), &["E0216 keep"]);
    check("catalog", &one("kind: csv, path: out, mode: all"), &["E0210 all"]);
    check("catalog", &one("kind: webhook, url: 'https://x'"), &["E0208 kind"]);
    check("catalog", &one("kind: webhook, url: 'ftp://x', secret: {env: A}"), &["E0222 'ftp://x'"]);
    check("catalog", &one("kind: postgres, url: {env: A}, table: a.b.c"), &["E0211 a.b.c"]);
    check("catalog", &one("kind: postgres, url: {env: A, file: b}"), &["E0216 {env: A, file: b}"]);
    check("catalog", &one("kind: postgres, url: {env: A-B}"), &["E0240 A-B"]);
}

#[test]
fn paces() {
    let hook = |more: &str| one(&format!("kind: webhook, url: 'https://x', secret: {{env: A}}, {more}"));
    for (more, text) in [
        ("batch: 0", "0"),
        ("batch: many", "many"),
        ("batch: 10001", "10001"),
        ("rate: 10", "10"),
        ("rate: 10/s", "10/s"),
        ("rate: 0 per second", "0 per second"),
        ("rate: 1 per day", "1 per day"),
        ("timeout: 30", "30"),
        ("timeout: 0s", "0s"),
        ("timeout: 1h", "1h"),
    ] {
        check("catalog", &hook(more), &[&format!("E0241 {text}")]);
    }
}

/// A secret in the file is a mistake, and nobody repeats it.
#[test]
fn secrets_that_stand_there() {
    const SECRET: &str = "hunter2hunter2";
    for entry in [
        format!("kind: postgres, url: 'postgres://segue:{SECRET}@db/crm'"),
        format!("kind: postgres, url: 'host=db user=segue password={SECRET}'"),
        format!("kind: postgres, url: 'postgres://segue@db/crm?password={SECRET}'"),
        format!("kind: webhook, url: 'https://u:{SECRET}@x/y', secret: {{env: A}}"),
        format!("kind: webhook, url: 'https://x/y?tenant=1&token={SECRET}', secret: {{env: A}}"),
        format!("kind: postgres, url: 'host=db user=u password = {SECRET}'"),
        format!("kind: postgres, url: \"host='db'password='{SECRET}'\""),
        format!("kind: postgres, url: 'postgres://h/db?user=u&pass%77ord={SECRET}'"),
        format!("kind: postgres, url: 'postgres://u:{SECRET}/a@h/db'"),
        format!("kind: webhook, url: 'https://x/y?client_secret={SECRET}', secret: {{env: A}}"),
        format!("kind: webhook, url: 'https://x/y?auth={SECRET}', secret: {{env: A}}"),
        format!("kind: webhook, url: 'https://x/y?accessKey={SECRET}', secret: {{env: A}}"),
        format!("kind: webhook, url: 'https://x/y?a=1;X-Amz-Signature={SECRET}', secret: {{env: A}}"),
        format!("kind: webhook, url: 'https://{SECRET}@x/y', secret: {{env: A}}"),
        format!("kind: webhook, url: 'u:{SECRET}@x/y', secret: {{env: A}}"),
        format!("kind: webhook, url: 'https://x', secret: {SECRET}"),
        format!("kind: webhook, url: 'https://x', secret: '${{{SECRET}}}'"),
        format!("kind: webhook, url: 'https://x', secret: {{env: '{SECRET}!'}}"),
        "kind: webhook, url: 'https://x', secret: 2222222222".to_owned(),
        format!("kind: postgres, url: 'postgres://segue:${{env:A}}@db/{SECRET}'"),
    ] {
        let (found, messages) = findings("catalog", &one(&entry));
        let codes: Vec<String> = found.iter().map(|(code, _)| code.to_string()).collect();
        assert_eq!(codes, ["E0240"], "{entry}: {messages:?}");
        let (sources, found) = load("catalog", &one(&entry));
        for shown in [
            render::pretty(&sources, &found, render::Paint::default()),
            render::short(&sources, &found),
            render::github(&sources, &found),
            render::json(&sources, &found).to_string(),
            render::sarif(&sources, &found).to_string(),
        ] {
            assert!(shown.contains("E0240"), "{shown}");
            assert!(!shown.contains(SECRET) && !shown.contains("2222222222"), "{shown}");
        }
    }
}

#[test]
fn addresses_without_a_secret() {
    for entry in [
        "kind: postgres, url: 'host=db user=u sslmode=require application_name=segue'",
        "kind: postgres, url: 'postgres://u@db1:5432,db2/crm?sslmode=require&target_session_attrs=any'",
        "kind: webhook, url: 'https://x:8443/u/@me?author=segue&tenant=7&mode=a%3Db', secret: {env: A}",
        "kind: webhook, url: 'https://x/100%/%zz?%=1', secret: {env: A}",
    ] {
        check("catalog", &one(entry), &[]);
    }
}
