//! Serves a space over HTTP on this machine.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use usufruct::class::Class;
use usufruct::error::Error;
use usufruct::gate::SpaceOptions;
use usufruct::key::SigningKey;
use usufruct::owner::Owner;
use usufruct_backend::{Backend, GRACE, serve};

const USAGE: &str = "\
Usage: usufruct-backend DIR --data DIR [--listen 127.0.0.1:PORT] [--owner OWNER.key]

  DIR                the space, made by `usufruct space new`
  --data DIR         the folder of files that POST /datasets may publish; rights are kept in its rights/
  --listen ADDRESS   where to listen, on this machine only; 127.0.0.1:8080 unless told, port 0 for any
  --owner OWNER.key  the owner's private key; without it datasets and rights are signed elsewhere

Prints the address it listens on. Ctrl-C: takes no more, finishes what is under way, closes the space; again: ends at once.";

/// The exit codes of the command `usufruct`.
const ENVIRONMENT: u8 = 1;
const BAD_INPUT: u8 = 2;
const REFUSED: u8 = 3;
const INTERRUPTED: u8 = 130;

const BLOCKING_THREADS_MAX: usize = 64;

struct Arguments {
    space: PathBuf,
    data: PathBuf,
    listen: SocketAddr,
    owner: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some(arguments) = parse(arguments) else {
        eprintln!("{USAGE}");
        return BAD_INPUT.into();
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, text)) => {
            eprintln!("usufruct-backend: {text}");
            code.into()
        }
    }
}

fn parse(arguments: Vec<OsString>) -> Option<Arguments> {
    let (mut space, mut data, mut listen, mut owner) = (None, None, None, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let place = match argument.to_str() {
            Some("--data") => &mut data,
            Some("--listen") => &mut listen,
            Some("--owner") => &mut owner,
            Some(option) if option.starts_with('-') => return None,
            _ => {
                space.replace(argument).is_none().then_some(())?;
                continue;
            }
        };
        place.replace(arguments.next()?).is_none().then_some(())?;
    }
    let listen: SocketAddr = listen.unwrap_or_else(|| "127.0.0.1:8080".into()).to_str()?.parse().ok()?;
    // The owner's routes know nobody: other machines come through what does.
    listen.ip().is_loopback().then_some(())?;
    Some(Arguments { space: space?.into(), data: data?.into(), listen, owner: owner.map(Into::into) })
}

fn run(arguments: &Arguments) -> Result<(), (u8, String)> {
    let owner = arguments.owner.as_ref().map(SigningKey::open).transpose().map_err(told)?.map(Owner::new);
    let backend = Arc::new(Backend::open(&arguments.space, SpaceOptions::default(), owner, &arguments.data).map_err(told)?);
    let io = |error: std::io::Error| (ENVIRONMENT, error.to_string());
    // Each waits for a disk, and more at once do not make it faster.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().max_blocking_threads(BLOCKING_THREADS_MAX).build().map_err(io)?;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await?;
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        println!("listening on {}", listener.local_addr()?);
        std::io::stdout().flush()?;
        let stop = async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            eprintln!("finishing what is under way; again to end at once");
            tokio::spawn(async move {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                // What was charged stays charged, and whoever asks the same again gets its answer.
                std::process::exit(INTERRUPTED.into());
            });
        };
        let served = serve(listener, Arc::clone(&backend), stop).await;
        // The last handle closes the space and waits for what is under way, so it goes where a thread may wait.
        let _ = tokio::task::spawn_blocking(move || drop(backend)).await;
        served
    });
    runtime.shutdown_timeout(GRACE);
    served.map_err(io)
}

fn told(error: impl Into<Error>) -> (u8, String) {
    let error = error.into();
    let code = match error.class() {
        Class::BadInput => BAD_INPUT,
        Class::Refused => REFUSED,
        _ => ENVIRONMENT,
    };
    (code, error.to_string())
}
