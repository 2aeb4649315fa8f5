//! The server dies in the middle, by SIGKILL at random moments, and ends in order by SIGINT.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Client, PRICE, World, description, spent};
use tokio::runtime::Runtime;
use usufruct::envelope::Signed;
use usufruct::ledger::RequestState;
use usufruct::random::{Random as _, SystemRandom};
use usufruct::right::{Request, Verified};
use usufruct::space::Space;

const KILLS: u64 = 24;
const CONNECTIONS: usize = 8;

/// The server of a space as a process of its own.
struct Server {
    child: Child,
}

impl Server {
    fn spawn(world: &World) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usufruct-backend"));
        command.arg(world.space()).arg("--data").arg(world.data()).args(["--listen", "127.0.0.1:0", "--owner"]);
        command.arg(world.folder.path().join("owner.key")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        Self { child: command.spawn().unwrap() }
    }

    /// Waits until it says where it listens.
    fn address(&mut self) -> SocketAddr {
        let mut line = String::new();
        BufReader::new(self.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it says {line:?}")).parse().unwrap()
    }

    /// SIGKILL, and gone.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGINT; the exit code.
    fn interrupt(mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }
}

/// A request, noted before it is sent, and its answer, noted when it came.
struct Noted {
    request: Signed<Request>,
    answer: Option<Vec<u8>>,
}

type Notes = Arc<Mutex<Vec<Noted>>>;

/// Asks until the connection breaks.
async fn ask_for_ever(world: &World, right: &Verified, address: SocketAddr, notes: &Notes) -> std::io::Result<()> {
    let mut client = Client::connect(address).await?;
    loop {
        let request = world.request(right, PRICE, None);
        let place = {
            let mut notes = notes.lock().unwrap();
            notes.push(Noted { request: request.clone(), answer: None });
            notes.len() - 1
        };
        let reply = client.ask(&request).await?;
        assert_eq!(reply.status, 200, "{}", reply.text());
        notes.lock().unwrap()[place].answer = Some(reply.body);
    }
}

#[derive(Default, Debug)]
struct Tally {
    /// Answers that were seen before the server died.
    seen: usize,
    /// Requests whose answer was not seen, and that the space had answered all the same.
    sealed_unseen: usize,
    /// Requests whose answer was not seen, and that were charged all the same.
    charged_unseen: u64,
    /// Requests whose answer was not seen and not there: asked again.
    asked_again: usize,
}

/// After a restart: whatever was seen is charged and gives the same bytes; what is in doubt is asked again.
async fn settle(world: &World, address: SocketAddr, notes: &Notes, from: usize, tally: &mut Tally) {
    let fresh: Vec<(usize, Signed<Request>, Option<Vec<u8>>)> = {
        let notes = notes.lock().unwrap();
        (from..notes.len()).map(|place| (place, notes[place].request.clone(), notes[place].answer.clone())).collect()
    };
    let mut client = Client::connect(address).await.unwrap();
    let seen = from + fresh.iter().filter(|(_, _, answer)| answer.is_some()).count();
    let charged = client.status().await["datasets"][0]["answers"].as_u64().unwrap();
    tally.charged_unseen += charged.checked_sub(seen as u64).expect("whatever was seen is charged");
    for (place, request, answer) in fresh {
        let kept = client.again(&request).await.unwrap();
        let retried = client.ask(&request).await.unwrap();
        assert_eq!(retried.status, 200, "{}", retried.text());
        world.verify(&retried.body, &request);
        match answer {
            Some(answer) => {
                tally.seen += 1;
                assert!(kept.status == 200 && kept.body == answer && retried.body == answer, "what was seen is another now");
            }
            None => {
                match kept.status {
                    200 => {
                        tally.sealed_unseen += 1;
                        assert_eq!(kept.body, retried.body);
                    }
                    404 => tally.asked_again += 1,
                    status => panic!("{status}: {}", kept.text()),
                }
                notes.lock().unwrap()[place].answer = Some(retried.body);
            }
        }
    }
    let count = notes.lock().unwrap().len();
    let status = client.status().await;
    assert_eq!(status["datasets"][0]["answers"], count as u64);
    assert_eq!(status["datasets"][0]["spent"], spent(count).to_string());
}

#[test]
fn killed_in_mid_request_loses_nothing_and_charges_nothing_twice() {
    let began = Instant::now();
    let runtime = Runtime::new().unwrap();
    let world = Arc::new(World::new(20));
    let mut random = SystemRandom::new().unwrap();
    let mut server = Server::spawn(&world);
    let mut address = server.address();
    let right = runtime.block_on(async {
        let mut owner = Client::connect(address).await.unwrap();
        owner.publish(&description("people", "1000")).await;
        owner.grant(&world, "people", "1000", 1_000_000).await
    });
    let (notes, mut tally, mut settled) = (Notes::default(), Tally::default(), 0);
    for round in 0..KILLS {
        let askers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (world, right, notes) = (Arc::clone(&world), right.clone(), Arc::clone(&notes));
                runtime.spawn(async move { ask_for_ever(&world, &right, address, &notes).await.unwrap_err() })
            })
            .collect();
        // From the first request on, so that some die in the middle of it.
        while notes.lock().unwrap().len() == settled {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.next_u64() % 250_000));
        server.kill();
        for asker in askers {
            runtime.block_on(asker).unwrap();
        }
        // Sometimes it also dies while it opens what the last one left.
        if round % 4 == 3 {
            let opening = Server::spawn(&world);
            std::thread::sleep(Duration::from_micros(random.next_u64() % 60_000));
            opening.kill();
        }
        server = Server::spawn(&world);
        address = server.address();
        runtime.block_on(settle(&world, address, &notes, settled, &mut tally));
        settled = notes.lock().unwrap().len();
    }
    server.kill();

    world.assert_audited();
    let notes = notes.lock().unwrap();
    let space = Space::open(world.space()).unwrap();
    let state = space.datasets().unwrap().remove(0);
    assert_eq!((state.balance.spent(), state.answers), (spent(notes.len()), notes.len() as u64));
    let requests = space.requests().unwrap();
    assert_eq!(requests.len(), notes.len());
    assert!(requests.iter().all(|request| matches!(request.state, RequestState::Sealed { .. })));
    for noted in notes.iter() {
        assert_eq!(Some(space.receipt(noted.request.id()).unwrap().unwrap().encode()), noted.answer);
    }
    println!("{KILLS} kills, {} requests, {tally:?}, {:.1} s", notes.len(), began.elapsed().as_secs_f64());
    assert!(tally.seen > 0 && tally.sealed_unseen + tally.asked_again >= CONNECTIONS, "{tally:?}");
}

/// Whoever waits gets an answer, newcomers are turned away, the space is closed and the process ends well.
#[test]
fn an_interrupt_finishes_what_is_under_way() {
    let runtime = Runtime::new().unwrap();
    let world = Arc::new(World::new(1000));
    let mut server = Server::spawn(&world);
    let address = server.address();
    let (requests, askers) = runtime.block_on(async {
        let mut owner = Client::connect(address).await.unwrap();
        owner.publish(&description("people", "1000")).await;
        let right = owner.grant(&world, "people", "1000", 1_000_000).await;
        let requests: Vec<_> = (0..CONNECTIONS).map(|_| world.request(&right, PRICE, None)).collect();
        let askers: Vec<_> = requests
            .iter()
            .map(|request| {
                let request = request.clone();
                tokio::spawn(async move { Client::connect(address).await.unwrap().ask(&request).await.unwrap() })
            })
            .collect();
        while owner.status().await["pending"] != CONNECTIONS as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (requests, askers)
    });
    // All wait for the end of their quantum, and this connection for nothing at all.
    let idle = runtime.block_on(Client::connect(address)).unwrap();
    assert_eq!(server.interrupt(), Some(0));
    drop(idle);
    for (asker, request) in askers.into_iter().zip(&requests) {
        let reply = runtime.block_on(asker).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        world.verify(&reply.body, request);
    }
    assert!(runtime.block_on(Client::connect(address)).is_err());
    world.assert_audited();
    let space = Space::open(world.space()).unwrap();
    assert_eq!(space.datasets().unwrap()[0].balance.spent(), spent(CONNECTIONS));
}
