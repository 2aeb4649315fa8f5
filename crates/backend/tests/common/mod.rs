//! A space that nobody has open yet, its people, and a caller of HTTP.
#![allow(dead_code, reason = "each test uses its own part")]

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use usufruct::auditor::Auditor;
use usufruct::budget::{Epsilon, Loss};
use usufruct::envelope::Signed;
use usufruct::gate::SpaceOptions;
use usufruct::holder::Holder;
use usufruct::id::Time;
use usufruct::key::{KeySet, SigningKey};
use usufruct::ledger::Quantum;
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::receipt::{Bundle, Proof};
use usufruct::right::{Ask, Request, Right, Seen, Verified};
use usufruct::space::Space;
use usufruct_backend::Backend;

pub(crate) const PRICE: &str = "0.001";

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) owner: Owner,
    pub(crate) holder: Holder,
}

impl World {
    /// A space with nothing published, and 1,000 people in the folder of data.
    pub(crate) fn new(quantum_ms: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut random = SystemRandom::new().unwrap();
        let key = SigningKey::generate(&mut random);
        key.create(folder.path().join("owner.key")).unwrap();
        let owner = Owner::new(key);
        let holder = Holder::new(SigningKey::generate(&mut random));
        let options = SpaceOptions::default().quantum(Quantum::new(quantum_ms).unwrap());
        drop(Space::create_with(folder.path().join("space"), owner.signer(), owner.public(), now(), options).unwrap());
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let rows: String = (0..1000).map(|row| format!("{},{}\n", row % 90, if row % 3 == 0 { "f" } else { "m" })).collect();
        std::fs::write(folder.path().join("data/people.csv"), format!("age,sex\n{rows}")).unwrap();
        Self { folder, owner, holder }
    }

    pub(crate) fn space(&self) -> PathBuf {
        self.folder.path().join("space")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn backend(&self) -> Arc<Backend> {
        Arc::new(Backend::open(self.space(), SpaceOptions::default(), Some(self.owner.clone()), self.data()).unwrap())
    }

    pub(crate) fn request(&self, right: &Verified, price: &str, seen: Option<Seen>) -> Signed<Request> {
        let query = Query::sql(&format!("SELECT sex, COUNT(*), AVG(age) FROM {} GROUP BY sex", right.root().name)).unwrap();
        let ask = Ask::new(query, Loss::approx(price, "0").unwrap()).expiry_s(24 * 3600).seen(seen);
        self.holder.request(right, ask, now(), &mut SystemRandom::new().unwrap()).unwrap()
    }

    /// A receipt file that must verify, for a request.
    pub(crate) fn verify(&self, file: &[u8], request: &Signed<Request>) -> Proof {
        let bundle = Bundle::decode(file).unwrap();
        assert_eq!(bundle.request, request.bytes(), "the receipt is of another request");
        let proof = Auditor::new(self.owner.public().clone()).verify_bundle(&bundle).unwrap();
        assert!(proof.bound);
        proof
    }

    pub(crate) fn assert_audited(&self) {
        let report = Auditor::new(self.owner.public().clone()).audit(&self.space(), None, &|_, _| {}).unwrap();
        assert!(report.ok(), "{:?}", report.problems);
    }
}

pub(crate) fn description(name: &str, epsilon: &str) -> String {
    format!(
        "name = \"{name}\"\ndata = \"people.csv\"\nunit = \"row\"\nrows_are_independent = true\n\
         budget = {{ model = \"approx\", epsilon = \"{epsilon}\" }}\n\
         columns.age = {{ type = \"integer\", bounds = [0, 120], grade = 2 }}\n\
         columns.sex = {{ type = \"text\", values = [\"f\", \"m\"], grade = 1 }}\n"
    )
}

pub(crate) fn now() -> Time {
    Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
}

/// What so many answers cost.
pub(crate) fn spent(answers: usize) -> Loss {
    Loss::pure(Epsilon::from_units(answers as u64 * Epsilon::parse(PRICE).unwrap().units()).unwrap())
}

/// The routes on loopback, in the runtime of the caller.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
}

impl Served {
    pub(crate) async fn start(backend: &Arc<Backend>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        Self { address, stop, server: tokio::spawn(usufruct_backend::serve(listener, Arc::clone(backend), stopped)) }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> io::Result<Reply> {
        let mut message = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
        if !kind.is_empty() {
            message.push_str(&format!("content-type: {kind}\r\n"));
        }
        message.push_str("\r\n");
        self.stream.write_all(&[message.as_bytes(), body].concat()).await?;

        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.trim_end().is_empty() {
                break;
            }
            lines.push(line.trim_end().to_ascii_lowercase());
        }
        let wrong = || io::Error::from(io::ErrorKind::InvalidData);
        let status = lines.first().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(wrong)?;
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).ok_or_else(wrong)?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Reply { status, body })
    }

    pub(crate) async fn ask(&mut self, request: &Signed<Request>) -> io::Result<Reply> {
        self.send("POST", "/requests", "application/cbor", request.bytes()).await
    }

    pub(crate) async fn again(&mut self, request: &Signed<Request>) -> io::Result<Reply> {
        self.send("GET", &format!("/requests/{}", request.id()), "", b"").await
    }

    pub(crate) async fn publish(&mut self, description: &str) -> Value {
        let reply = self.send("POST", "/datasets", "application/toml", description.as_bytes()).await.unwrap();
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    pub(crate) async fn try_grant(&mut self, world: &World, dataset: &str, epsilon: &str, uses: u64, oversubscribe: bool) -> Reply {
        let terms = format!(
            "kind = \"process\"\noperations = [\"count\", \"mean\"]\ncolumns = [\"sex\", \"age\"]\npurposes = [\"research\"]\n\
             budget = {{ epsilon = \"{epsilon}\" }}\nuses = {uses}\nnot_after = \"2090-01-01T00:00:00Z\"\n"
        );
        let holder = world.holder.public().to_pem();
        let grant = json!({ "dataset": dataset, "holder": holder, "terms": terms, "oversubscribe": oversubscribe });
        self.send("POST", "/rights", "application/json", grant.to_string().as_bytes()).await.unwrap()
    }

    pub(crate) async fn grant(&mut self, world: &World, dataset: &str, epsilon: &str, uses: u64) -> Verified {
        let reply = self.try_grant(world, dataset, epsilon, uses, true).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        Right::decode(&reply.body).unwrap().verify(&KeySet::single(world.owner.public().clone())).unwrap()
    }

    pub(crate) async fn status(&mut self) -> Value {
        let reply = self.send("GET", "/status", "", b"").await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
