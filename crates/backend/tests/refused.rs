//! What strangers, spenders and the careless are told.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::{Client, PRICE, Reply, Served, World, description};
use serde_json::json;
use usufruct::budget::Loss;
use usufruct::envelope::Signed;
use usufruct::gate::SpaceOptions;
use usufruct::ledger::RefillReason;
use usufruct::owner::Owner;
use usufruct::right::Request;
use usufruct_backend::Backend;

/// An epsilon that appears nowhere but as the balance of the dataset.
const BUDGET: &str = "0.001357";

fn assert_told(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    let told = reply.json();
    let names: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((names, &told["code"]), (vec!["code", "text"], &json!(code)), "{}", reply.text());
    for private in ["1357", "0357", "0157", "people", "space", "dataset"] {
        assert!(!reply.text().contains(private), "{private}: {}", reply.text());
    }
}

/// Holders and strangers learn a code and what concerns themselves.
#[tokio::test(flavor = "multi_thread")]
async fn holders_learn_the_code_and_nothing_of_the_dataset() {
    let world = World::new(10);
    let backend = world.backend();
    let served = Served::start(&backend).await;
    let mut client = Client::connect(served.address).await.unwrap();
    client.publish(&description("people", BUDGET)).await;
    let right = client.grant(&world, "people", "1", 100).await;

    // Malformed, too long, damaged, and from strangers.
    for malformed in [&b""[..], b"nonsense", &world.request(&right, PRICE, None).bytes()[1..]] {
        assert_told(&client.send("POST", "/requests", "", malformed).await.unwrap(), 400, "refused");
    }
    // The server may hang up before all of it was sent.
    let long = Client::connect(served.address).await.unwrap().send("POST", "/requests", "", &vec![0; 200_000]).await;
    assert!(long.is_err() || long.unwrap().status == 413);
    let mut damaged = world.request(&right, PRICE, None).bytes().to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    assert_told(&client.send("POST", "/requests", "", &damaged).await.unwrap(), 403, "refused");
    assert_told(&client.ask(&a_strangers_request().await).await.unwrap(), 403, "refused");

    // The dataset has room for one answer, though the right has room for many.
    let answered = world.request(&right, PRICE, None);
    assert_eq!(client.ask(&answered).await.unwrap().status, 200);
    let refused = world.request(&right, PRICE, None);
    let reply = client.ask(&refused).await.unwrap();
    assert_told(&reply, 403, "budget");
    assert_eq!(reply.json()["text"], "budget: the price is epsilon 0.001, your right has epsilon 0.999 and 99 uses left");
    // And a right without room for it, where the dataset has some.
    let narrow = client.grant(&world, "people", "0.0003", 1).await;
    assert_eq!(client.ask(&world.request(&narrow, "0.0002", None)).await.unwrap().status, 200);
    let reply = client.ask(&world.request(&narrow, "0.0002", None)).await.unwrap();
    assert_told(&reply, 403, "budget");
    assert_eq!(reply.json()["text"], "budget: the price is epsilon 0.0002, your right has epsilon 0.0001 and 0 uses left");

    // A refused request has no answer, an id that is none has none either; a retry of what was answered is free.
    assert_told(&client.again(&refused).await.unwrap(), 404, "not found");
    assert_told(&client.send("GET", "/requests/0123", "", b"").await.unwrap(), 400, "bad input");
    assert_eq!(client.ask(&answered).await.unwrap().status, 200);
    let status = client.status().await;
    assert_eq!((&status["datasets"][0]["answers"], &status["datasets"][0]["left"]), (&json!(2), &json!("epsilon 0.000157")));
    served.stop().await;
}

/// A good request at another owner's space.
async fn a_strangers_request() -> Signed<Request> {
    let world = World::new(10);
    let backend = world.backend();
    let served = Served::start(&backend).await;
    let mut client = Client::connect(served.address).await.unwrap();
    client.publish(&description("people", "1")).await;
    let right = client.grant(&world, "people", "1", 100).await;
    let request = world.request(&right, PRICE, None);
    assert_eq!(client.ask(&request).await.unwrap().status, 200);
    drop(client);
    served.stop().await;
    request
}

/// The owner learns why, and nothing is left behind.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_learns_why() {
    let world = World::new(10);
    let backend = world.backend();
    let served = Served::start(&backend).await;
    let mut client = Client::connect(served.address).await.unwrap();

    // A web page can send this to a machine that its reader can reach; it cannot name the type.
    let sent = client.send("POST", "/datasets", "text/plain", description("people", "1").as_bytes()).await.unwrap();
    assert_eq!(sent.status, 415, "{}", sent.text());
    let sent = client.send("POST", "/rights", "text/plain", b"{}").await.unwrap();
    assert_eq!(sent.status, 415, "{}", sent.text());

    // Only what lies in the folder of data, whatever leads out of it.
    std::fs::copy(world.data().join("people.csv"), world.folder.path().join("outside.csv")).unwrap();
    std::os::unix::fs::symlink("../outside.csv", world.data().join("link.csv")).unwrap();
    let absolute = world.folder.path().join("outside.csv").display().to_string();
    for outside in ["../outside.csv", "link.csv", "absent.csv", &absolute] {
        let text = description("people", "1").replace("people.csv", outside);
        let sent = client.send("POST", "/datasets", "application/toml", text.as_bytes()).await.unwrap();
        assert_eq!((sent.status, &sent.json()["text"]), (400, &json!("data: there is no such file in the folder of data")), "{outside}");
    }
    assert_eq!(client.status().await["datasets"], json!([]));

    client.publish(&description("people", "1")).await;
    let unknown = client.try_grant(&world, "persons", "1", 1, false).await;
    assert_eq!((unknown.status, &unknown.json()["code"]), (400, &json!("bad input")));
    assert_eq!(client.try_grant(&world, "people", "0.7", 1, false).await.status, 201);
    let refused = client.try_grant(&world, "people", "0.7", 1, false).await;
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("refused")));
    assert!(refused.text().contains("promise epsilon 1.4"), "{}", refused.text());
    assert_eq!(std::fs::read_dir(world.data().join("rights")).unwrap().count(), 1);

    // Acts that are none, or another owner's.
    let dataset = backend.space().datasets().unwrap()[0].id;
    let sign = |owner: &Owner| owner.refill(dataset, 1, Loss::approx("1", "0").unwrap(), RefillReason::Accepted).unwrap();
    for (act, status) in [(&b"nonsense"[..], 400), (sign(&World::new(10).owner).bytes(), 400), (sign(&world.owner).bytes(), 200)] {
        let sent = client.send("POST", "/acts", "", act).await.unwrap();
        assert_eq!(sent.status, status, "{}", sent.text());
    }
    drop(client);
    served.stop().await;
    drop(backend);

    // Without the owner's key nothing is signed here, and acts are still applied.
    let backend = Arc::new(Backend::open(world.space(), SpaceOptions::default(), None, world.data()).unwrap());
    let served = Served::start(&backend).await;
    let mut client = Client::connect(served.address).await.unwrap();
    let sent = client.send("POST", "/datasets", "application/toml", description("people", "1").as_bytes()).await.unwrap();
    assert_eq!(sent.status, 400, "{}", sent.text());
    assert_eq!(client.try_grant(&world, "people", "0.1", 1, false).await.status, 400);
    let second = world.owner.refill(dataset, 2, Loss::approx("1", "0").unwrap(), RefillReason::Accepted).unwrap();
    assert_eq!(client.send("POST", "/acts", "", second.bytes()).await.unwrap().status, 200);
    served.stop().await;
    world.assert_audited();
}
