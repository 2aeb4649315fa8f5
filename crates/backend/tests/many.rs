//! Many tasks at once over loopback, and an owner who goes on publishing, refilling and granting.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{Client, PRICE, Served, World, description, spent};
use usufruct::budget::Loss;
use usufruct::ledger::RefillReason;
use usufruct::right::{Seen, Verified};
use usufruct::space::Space;

const TASKS: usize = 64;
const ASKS: usize = 8;

/// 64 tasks ask, each under what it saw last; all receipts verify and can be had again, each request is charged once, and the ledger
/// that comes of it audits clean.
#[test]
fn sixty_four_tasks_ask_while_the_owner_publishes_refills_and_grants() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let world = Arc::new(World::new(50));
    let backend = world.backend();
    let began = Instant::now();
    let (versions, refills, grants, audits) = runtime.block_on(async {
        let served = Served::start(&backend).await;
        let mut owner = Client::connect(served.address).await.unwrap();
        let dataset = owner.publish(&description("people", "100")).await["id"].as_str().unwrap().parse().unwrap();
        let mut rights = Vec::new();
        for _ in 0..8 {
            rights.push(owner.grant(&world, "people", "50", 1000).await);
        }
        let running = Arc::new(AtomicBool::new(true));

        // Beside the askers, until they are done.
        let (world_, running_, address) = (Arc::clone(&world), Arc::clone(&running), served.address);
        let publisher = tokio::spawn(async move {
            let (mut client, mut versions) = (Client::connect(address).await.unwrap(), 1);
            while running_.load(Ordering::Relaxed) {
                versions += 1;
                assert_eq!(client.publish(&description("people", "100")).await["version"], versions);
            }
            versions
        });
        let running_ = Arc::clone(&running);
        let granter = tokio::spawn(async move {
            let (mut client, mut grants) = (Client::connect(address).await.unwrap(), 0);
            while running_.load(Ordering::Relaxed) {
                client.grant(&world_, "people", "0.1", 1).await;
                grants += 1;
            }
            grants
        });
        let (world_, running_) = (Arc::clone(&world), Arc::clone(&running));
        let refiller = tokio::spawn(async move {
            let (mut client, mut refills) = (Client::connect(address).await.unwrap(), 0);
            while running_.load(Ordering::Relaxed) {
                refills += 1;
                let amount = Loss::approx("1", "0").unwrap();
                let act = world_.owner.refill(dataset, refills, amount, RefillReason::Accepted).unwrap();
                let reply = client.send("POST", "/acts", "application/cbor", act.bytes()).await.unwrap();
                assert_eq!(reply.status, 200, "{}", reply.text());
                // The same act again is told as applied, and counts once.
                let reply = client.send("POST", "/acts", "application/cbor", act.bytes()).await.unwrap();
                assert_eq!(reply.status, 200, "{}", reply.text());
            }
            refills
        });
        let (world_, running_, audits) = (Arc::clone(&world), Arc::clone(&running), Arc::new(AtomicU64::new(0)));
        let audits_ = Arc::clone(&audits);
        let auditor = tokio::task::spawn_blocking(move || {
            while running_.load(Ordering::Relaxed) {
                world_.assert_audited();
                audits_.fetch_add(1, Ordering::Relaxed);
            }
        });

        let askers: Vec<_> = (0..TASKS)
            .map(|number| {
                let (world, right) = (Arc::clone(&world), rights[number % rights.len()].clone());
                tokio::spawn(async move { ask_and_ask_again(&world, &right, address).await })
            })
            .collect();
        for asker in askers {
            asker.await.unwrap();
        }
        running.store(false, Ordering::Relaxed);
        let beside = (publisher.await.unwrap(), refiller.await.unwrap(), granter.await.unwrap());
        auditor.await.unwrap();

        let status = owner.status().await;
        assert_eq!(status["pending"], 0);
        assert_eq!(status["datasets"][0]["answers"], (TASKS * ASKS) as u64);
        assert_eq!(status["datasets"][0]["spent"], spent(TASKS * ASKS).to_string());
        drop(owner);
        served.stop().await;
        (beside.0, beside.1, beside.2, audits.load(Ordering::Relaxed))
    });
    println!(
        "{} requests of {TASKS} tasks, {versions} versions, {refills} refills, {grants} grants, {audits} audits in {:.1} s",
        TASKS * ASKS,
        began.elapsed().as_secs_f64()
    );
    drop(runtime);
    drop(backend);

    world.assert_audited();
    let space = Space::open(world.space()).unwrap();
    let state = space.datasets().unwrap().remove(0);
    assert_eq!((state.balance.spent(), state.answers), (spent(TASKS * ASKS), (TASKS * ASKS) as u64));
    assert_eq!((state.version, state.refills.len() as u64), (versions, refills));
    // Every right is in the folder, under its id.
    let rights = space.rights().unwrap();
    assert_eq!(rights.len(), 8 + grants);
    assert!(rights.iter().all(|right| world.data().join(format!("rights/{}.right", right.id)).is_file()));
}

async fn ask_and_ask_again(world: &World, right: &Verified, address: SocketAddr) {
    let mut client = Client::connect(address).await.unwrap();
    let mut seen: Option<Seen> = None;
    for round in 0..ASKS {
        let request = world.request(right, PRICE, seen);
        let reply = if round % 4 == 1 {
            // Whoever goes away in the middle finds the answer later.
            let mut gone = Client::connect(address).await.unwrap();
            let left = tokio::time::timeout(Duration::from_millis(20), gone.ask(&request)).await;
            assert!(left.is_err() || left.unwrap().unwrap().status == 200);
            drop(gone);
            client.ask(&request).await.unwrap()
        } else if round % 4 == 2 {
            // Twice at once is once.
            let mut twin = Client::connect(address).await.unwrap();
            let (one, two) = tokio::join!(client.ask(&request), twin.ask(&request));
            let one = one.unwrap();
            assert_eq!(one.body, two.unwrap().body);
            one
        } else {
            client.ask(&request).await.unwrap()
        };
        assert_eq!(reply.status, 200, "{}", reply.text());
        let proof = world.verify(&reply.body, &request);
        let again = client.again(&request).await.unwrap();
        assert_eq!((again.status, &again.body), (200, &reply.body));
        assert!(seen.is_none_or(|seen| seen.size < proof.checkpoint.seen().size));
        seen = Some(proof.checkpoint.seen());
    }
}
