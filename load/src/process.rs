//! The real `sluice` program as a child process: started, watched, stopped, killed. Must not know why.

use crate::fault::{Fault, Tried, While as _};
use crate::rest::Rest;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the program is started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The program.
    pub(crate) binary: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its settings as variables; all others that begin with `SLUICE_` are removed.
    pub(crate) variables: Vec<(String, String)>,
    /// Where its log goes.
    pub(crate) log: PathBuf,
    /// `host:port` of its HTTP server.
    pub(crate) address: String,
}

/// A running process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    launch: Launch,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) now: u64,
    /// Highest so far.
    pub(crate) peak: u64,
}

impl Process {
    /// Starts the program and returns at once.
    ///
    /// # Errors
    /// [`Fault::Io`] when it cannot be started.
    pub(crate) fn spawn(launch: Launch) -> Tried<Self> {
        let log = std::fs::File::options().create(true).append(true).open(&launch.log);
        let log = log.while_trying(|| format!("opening {}", launch.log.display()))?;
        let out = log.try_clone().while_trying(|| "sharing the log".to_owned())?;
        let mut command = clean(&launch.binary);
        command.args(&launch.arguments).envs(launch.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(out).stderr(log).kill_on_drop(true);
        let child = command.spawn().while_trying(|| format!("starting {}", launch.binary.display()))?;
        Ok(Self { child, launch })
    }

    /// Starts the program and waits until `/readyz` answers 200; gives how long that took.
    ///
    /// # Errors
    /// [`Fault::Late`] when it ends or does not become ready.
    pub(crate) async fn start(launch: Launch) -> Tried<(Self, Duration)> {
        let begun = Instant::now();
        let mut process = Self::spawn(launch)?;
        process.ready().await?;
        Ok((process, begun.elapsed()))
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Errors
    /// [`Fault::Late`] when the process ends or does not become ready.
    pub(crate) async fn ready(&mut self) -> Tried<()> {
        let rest = Rest::new(&self.launch.address, "");
        let end = Instant::now() + PATIENCE;
        loop {
            if let Ok((200, _)) = rest.call("GET", "/readyz", None).await {
                return Ok(());
            }
            let ended = self.child.try_wait().while_trying(|| "asking for the process".to_owned())?;
            if ended.is_some() || Instant::now() > end {
                return Err(Fault::Late(self.last_words("did not become ready")));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn last_words(&self, what: &str) -> String {
        let log = std::fs::read_to_string(&self.launch.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(8).collect();
        let last: Vec<&str> = lines.into_iter().rev().collect();
        format!("{} {what}; the end of its log:\n{}", self.launch.binary.display(), last.join("\n"))
    }

    /// Resident memory; zero when the platform does not tell.
    pub(crate) fn memory(&self) -> Memory {
        let Some(pid) = self.child.id() else { return Memory::default() };
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let bytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
            number.unwrap_or(0) * 1_024
        };
        Memory { now: bytes("VmRSS:"), peak: bytes("VmHWM:") }
    }

    /// Kills it as a crash would, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        // Gone already is what was wanted.
        let _ = self.child.kill().await;
    }

    /// Sends a signal by name, such as `STOP`.
    ///
    /// # Errors
    /// [`Fault::Io`] when the program `kill` is missing.
    pub(crate) async fn signal(&self, name: &str) -> Tried<()> {
        let Some(pid) = self.child.id() else { return Ok(()) };
        let told = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().await;
        told.map(drop).while_trying(|| format!("sending {name}"))
    }

    /// Asks it to stop, and waits for its end.
    ///
    /// # Errors
    /// [`Fault::Late`] when it does not end.
    pub(crate) async fn stop(mut self) -> Tried<()> {
        self.signal("TERM").await?;
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Fault::Late(self.last_words("did not stop on SIGTERM"))),
        }
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

/// The program without settings that the caller's environment would give it.
fn clean(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SLUICE_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end and gives the last line of what it printed.
///
/// # Errors
/// [`Fault::Usage`] with its words when it fails.
pub(crate) async fn last_line(binary: &Path, arguments: &[String]) -> Tried<String> {
    let output = clean(binary).args(arguments).stdin(Stdio::null()).output().await;
    let output = output.while_trying(|| format!("starting {}", binary.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !output.status.success() {
        let words = text(&output.stderr);
        return Err(Fault::Usage(format!("{} {}: {words}", binary.display(), arguments.join(" "))));
    }
    Ok(text(&output.stdout).lines().last().unwrap_or_default().trim().to_owned())
}

/// A loopback address that is free now, with a port that the system does not give to outgoing connections: a client
/// that knocks while the server is away must not connect to itself and hold the port.
///
/// # Errors
/// [`Fault::Usage`] when none of many is free.
pub(crate) fn free_address() -> Tried<String> {
    for _ in 0..200 {
        let address = format!("127.0.0.1:{}", fastrand::u16(10_000..32_000));
        if std::net::TcpListener::bind(&address).is_ok() {
            return Ok(address);
        }
    }
    Err(Fault::Usage("no loopback port between 10000 and 32000 is free".to_owned()))
}
