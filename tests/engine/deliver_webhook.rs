//! Deliveries to a receiver of HTTP requests that fails in all the ways that receivers fail.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use segue::audience::deliver::Delivered;
use segue::audience::deliver::retry::Patience;
use segue::error::Exit;
use segue::language::catalog::Mode;
use serde_json::Value;

use crate::deliver_support::{Ask, Place, Versions, scored, version};

const SECRET: &str = "whsec_hunter2hunter2";

/// How the next request is answered.
#[derive(Clone)]
enum Reply {
    Status(&'static str, &'static str),
    /// It is read, and the connection closed.
    Dropped,
    /// It is taken, and the connection closed before the answer.
    Lost,
    Silent,
}

#[derive(Default)]
struct Got {
    replies: Vec<Reply>,
    requests: Vec<Request>,
    table: BTreeMap<String, i64>,
    keys: BTreeMap<String, usize>,
}

#[derive(Clone)]
struct Request {
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
    at: Instant,
}

struct Receiver {
    port: u16,
    got: Arc<Mutex<Got>>,
}

impl Receiver {
    fn new(replies: &[Reply]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let got: Arc<Mutex<Got>> = Arc::default();
        got.lock().expect("sound").replies = replies.to_vec();
        let shared = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || while serve(&stream, &shared) {});
            }
        });
        Receiver { port, got }
    }

    fn place(&self, more: &str) -> Place {
        let mut place = Place::new(&format!(
            "destinations: {{hook: {{kind: webhook, url: 'http://127.0.0.1:{}/segue?tenant=7', secret: {{file: secret.txt}}{more}}}}}",
            self.port
        ));
        std::fs::write(place.root.path().join("secret.txt"), format!("{SECRET}\n")).expect("written");
        place.patience = Patience {
            tries: 4,
            first: Duration::from_millis(4),
            longest: Duration::from_millis(20),
            asked: Duration::from_secs(5),
        };
        place
    }

    fn requests(&self) -> Vec<Request> {
        self.got.lock().expect("sound").requests.clone()
    }
}

fn serve(mut stream: &TcpStream, got: &Mutex<Got>) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if !stream.read(&mut byte).is_ok_and(|n| n > 0) {
            return false;
        }
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let path = lines.next().expect("a line").split(' ').nth(1).expect("a path").to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers.get("content-length").and_then(|n| n.parse().ok()).expect("a length")];
    if stream.read_exact(&mut body).is_err() {
        return false;
    }
    let body = String::from_utf8(body).expect("UTF-8");
    let reply = {
        let mut got = got.lock().expect("sound");
        got.requests.push(Request { path, headers: headers.clone(), body: body.clone(), at: Instant::now() });
        let reply = if got.replies.is_empty() { Reply::Status("200 OK", "") } else { got.replies.remove(0) };
        if matches!(reply, Reply::Lost) || matches!(reply, Reply::Status(status, _) if status.starts_with('2')) {
            take(&mut got, &headers["idempotency-key"], &body);
        }
        reply
    };
    match reply {
        Reply::Status(status, more) => {
            let said = format!("it says {SECRET} for {status}");
            let head = format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\n\r\n{said}", said.len());
            stream.write_all(head.as_bytes()).is_ok()
        }
        Reply::Dropped | Reply::Lost => {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            false
        }
        Reply::Silent => {
            std::thread::sleep(Duration::from_secs(3));
            false
        }
    }
}

/// As a receiver should: a key that it has seen changes nothing.
fn take(got: &mut Got, key: &str, body: &str) {
    let body: Value = serde_json::from_str(body).expect("JSON");
    let rows = body["rows"].as_array().expect("rows").clone();
    if got.keys.insert(key.to_owned(), rows.len()).is_some() {
        return;
    }
    for row in rows {
        let customer = row["customer"].as_str().expect("an id").to_owned();
        match row["operation"].as_str() {
            Some("upsert") => got.table.insert(customer, row["score"].as_i64().expect("a score")),
            Some("delete") => {
                assert_eq!(row.as_object().expect("an object").len(), 2, "of who is gone nothing else is said");
                got.table.remove(&customer)
            }
            other => panic!("{other:?}"),
        };
    }
}

fn of(n: i64, plus: i64) -> arrow::array::RecordBatch {
    let ids: Vec<String> = (0..n).map(|n| format!("c{n}")).collect();
    scored(&ids.iter().zip(0..).map(|(id, n)| (id.as_str(), n + plus)).collect::<Vec<_>>())
}

#[test]
fn what_a_request_says() {
    let receiver = Receiver::new(&[]);
    let place = receiver.place(", batch: 2");
    let versions = Versions::default().with("vip", 3, of(5, 0)).with("vip", 4, of(3, 0));
    place.deliver("vip", &versions, version(3)).expect("delivered");
    place.deliver("vip", &versions, version(4)).expect("delivered");
    let requests = receiver.requests();
    assert_eq!(requests.len(), 4);
    let whole =
        segue::audience::deliver::key("shop", &crate::deliver_support::manifest(3), "vip", "hook", Mode::Delta, None);
    for (n, request) in requests.iter().take(3).enumerate() {
        assert_eq!(request.path, "/segue?tenant=7");
        assert_eq!(request.headers["idempotency-key"], format!("{whole}-{n}"));
        assert_eq!(request.headers["content-type"], "application/json");
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
        mac.update(format!("1800000000.{}", request.body).as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(request.headers["segue-signature"], format!("t=1800000000,v1={hex}"));
    }
    assert_eq!(
        requests[2].body,
        format!(
            "{{\"schema\":1,\"project\":\"shop\",\"audience\":\"vip\",\"kind\":\"members\",\"destination\":\"hook\",\"version\":3,\"mode\":\"delta\",\
             \"base\":null,\"delivery\":\"{whole}\",\"batch\":3,\"batches\":3,\
             \"rows\":[{{\"operation\":\"upsert\",\"customer\":\"c4\",\"score\":4}}]}}"
        )
    );
    let last: Value = serde_json::from_str(&requests[3].body).expect("JSON");
    assert_eq!((&last["version"], &last["base"]), (&Value::from(4), &Value::from(3)));
    assert_eq!(
        last["rows"],
        serde_json::json!([{"operation": "delete", "customer": "c3"}, {"operation": "delete", "customer": "c4"}])
    );
    // An empty audience is told, where all rows are.
    let empty = Versions::default().with("none", 1, of(0, 0));
    place.deliver("none", &empty, Ask { mode: Some(Mode::Full), ..version(1) }).expect("delivered");
    assert!(receiver.requests().last().is_some_and(|request| request.body.ends_with("\"batches\":1,\"rows\":[]}")));
}

#[test]
fn failures_that_pass() {
    use Reply::*;
    for trouble in [
        Status("500 Internal Server Error", ""),
        Status("503 Service Unavailable", "retry-after: 0\r\n"),
        Status("408 Request Timeout", ""),
        Status("425 Too Early", ""),
        Status("429 Too Many Requests", "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
        Dropped,
        Lost,
    ] {
        let receiver = Receiver::new(&[trouble.clone(), Status("201 Created", ""), trouble.clone(), trouble]);
        let place = receiver.place(", batch: 4");
        place.deliver("v", &Versions::default().with("v", 1, of(10, 0)), version(1)).expect("delivered");
        let got = receiver.got.lock().expect("sound");
        assert_eq!(got.requests.len(), 6);
        assert_eq!(got.table.len(), 10);
        assert_eq!(got.keys.values().sum::<usize>(), 10, "each row counts once");
        assert_eq!(got.requests[0].headers["idempotency-key"], got.requests[1].headers["idempotency-key"]);
        assert_eq!(got.requests[0].body, got.requests[1].body);
    }
}

#[test]
fn it_waits_as_long_as_it_is_asked_to() {
    let receiver = Receiver::new(&[
        Reply::Status("429 Too Many Requests", "retry-after: 1\r\n"),
        // Its clock says 1,800,000,000: Fri, 15 Jan 2027 08:00:00 GMT.
        Reply::Status("503 Service Unavailable", "retry-after: Fri, 15 Jan 2027 08:00:01 GMT\r\n"),
    ]);
    let place = receiver.place("");
    place.deliver("v", &Versions::default().with("v", 1, of(1, 0)), version(1)).expect("delivered");
    let requests = receiver.requests();
    let pauses: Vec<Duration> = requests.windows(2).map(|two| two[1].at - two[0].at).collect();
    assert!(pauses.len() == 2 && pauses.iter().all(|pause| *pause >= Duration::from_millis(990)), "{pauses:?}");
    // Longer than anybody waits: it ends, and goes on later.
    let receiver = Receiver::new(&[Reply::Status("429 Too Many Requests", "retry-after: 3600\r\n")]);
    let place = receiver.place("");
    let versions = Versions::default().with("v", 1, of(1, 0));
    let error = place.deliver("v", &versions, version(1)).expect_err("an hour");
    assert_eq!(error.to_string(), "destination `hook`, batch 1: 429 Too Many Requests; it asks to wait 3600 seconds");
    place.deliver("v", &versions, version(1)).expect("delivered");
}

#[test]
fn a_receiver_that_stays_away() {
    let receiver = Receiver::new(&[]);
    let place = receiver.place(", batch: 3, timeout: 1s");
    let versions = Versions::default().with("v", 1, of(9, 0));
    for (reply, words) in [
        (Reply::Status("502 Bad Gateway", ""), "502 Bad Gateway, 4 times in a row"),
        (Reply::Dropped, "the connection broke off, 4 times in a row"),
    ] {
        let mut replies = vec![Reply::Status("200 OK", "")];
        replies.extend(vec![reply; 4]);
        receiver.got.lock().expect("sound").replies = replies;
        let error = place.deliver("v", &versions, version(1)).expect_err("away");
        assert_eq!(error.exit(), Exit::Environment);
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(place.state("v").underway.expect("underway").done, 2);
    receiver.got.lock().expect("sound").replies = vec![Reply::Silent];
    place.deliver("v", &versions, version(1)).expect("delivered");
    assert_eq!(receiver.got.lock().expect("sound").table.len(), 9);
    // Elsewhere nobody listens, or it sends on.
    let gone = Receiver { port: 1, got: Arc::default() };
    let error = gone.place("").deliver("v", &versions, version(1)).expect_err("nobody");
    assert!(error.to_string().contains("no connection"), "{error}");
    let moved = Receiver::new(&[Reply::Status("301 Moved Permanently", "location: http://127.0.0.1:1/\r\n")]);
    let error = moved.place("").deliver("v", &versions, version(1)).expect_err("moved");
    assert!(error.to_string().contains("it answers 301"), "{error}");
}

#[test]
fn refused_for_good() {
    let receiver = Receiver::new(&[Reply::Status("200 OK", ""), Reply::Status("400 Bad Request", "")]);
    let place = receiver.place(", batch: 2");
    let versions = Versions::default().with("v", 1, of(6, 0)).with("v", 2, of(6, 1));
    let Delivered::Done(told) = place.deliver("v", &versions, version(1)).expect("delivered") else { panic!("done") };
    assert_eq!(told[0].dead.len(), 1);
    assert_eq!((told[0].dead[0].batch, told[0].dead[0].reason.as_str()), (1, "400 Bad Request"));
    assert_eq!(receiver.got.lock().expect("sound").table.len(), 4);
    let letter = place.kept().into_iter().find(|(path, _)| path.contains("/dead/")).expect("a letter").1;
    let letter: Value = serde_json::from_str(&letter).expect("JSON");
    assert_eq!(letter["body"]["rows"].as_array().map(Vec::len), Some(2));
    assert_eq!(letter["answer"], "it says *** for 400 Bad Request", "without the secret");
    let Delivered::Done(again) = place.deliver("v", &versions, Ask { resume: true, ..version(1) }).expect("sent")
    else {
        panic!("done")
    };
    assert!(again[0].dead.is_empty());
    let got = receiver.got.lock().expect("sound");
    assert_eq!(got.table.len(), 6);
    assert_eq!(got.requests[1].body, got.requests[3].body, "the same letter with the same key");
    assert_eq!(got.requests[1].headers["idempotency-key"], got.requests[3].headers["idempotency-key"]);
}

#[test]
fn no_faster_than_it_can_bear() {
    let receiver = Receiver::new(&[Reply::Status("500 Internal Server Error", "")]);
    let place = receiver.place(", batch: 1, rate: 20 per second");
    place.deliver("v", &Versions::default().with("v", 1, of(5, 0)), version(1)).expect("delivered");
    let requests = receiver.requests();
    assert_eq!(requests.len(), 6);
    // What lies between the first and the last, whatever the network adds.
    let all = requests.last().expect("a request").at - requests[0].at;
    assert!(all >= Duration::from_millis(5 * 50 - 10), "{all:?}");
}
