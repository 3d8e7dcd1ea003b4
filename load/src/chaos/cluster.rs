//! The processes under load, and how they are broken: killed, paused, their clock moved, their disk filled, their
//! database restarted. Must not know what clients and providers saw.

use super::plan::Sort;
use crate::fault::{Fault, Tried, While as _};
use crate::house::House;
use crate::process::{Launch, Process};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Variable with a command that restarts the PostgreSQL server at once; set by `scripts/with-postgres.sh`.
const RESTART: &str = "SLUICE_TEST_POSTGRES_RESTART";

/// Size of the small disk, in MiB: enough for what a run stores, quick to fill.
const DISK_MIB: u32 = 512;

/// The processes of one installation.
pub(super) struct Cluster {
    places: Vec<Place>,
    clock: Option<PathBuf>,
    disk: Option<Disk>,
}

/// A process that should run, and whether it does.
struct Place {
    launch: Launch,
    process: Option<Process>,
}

impl Cluster {
    /// Starts the processes: one that does everything, or one that answers HTTP and `runners` that drive runs.
    ///
    /// # Errors
    /// When one does not become ready.
    pub(super) async fn start(
        house: &House,
        runners: u32,
        clock: Option<PathBuf>,
        disk: Option<Disk>,
    ) -> Tried<Self> {
        let mut launches = vec![house.launch(if runners == 0 { "all" } else { "api" }, "first")?];
        for number in 1..=runners {
            launches.push(house.launch("runner", &format!("runner{number}"))?);
        }
        let mut places = Vec::new();
        for launch in launches {
            let (process, _) = Process::start(launch.clone()).await?;
            places.push(Place { launch, process: Some(process) });
        }
        Ok(Self { places, clock, disk })
    }

    /// Kills a process and starts it again after `away`. Whether it was the one that answers clients.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) async fn kill(&mut self, which: usize, away: Duration) -> Tried<bool> {
        let which = which % self.places.len();
        let place = &mut self.places[which];
        if let Some(process) = place.process.take() {
            process.kill().await;
        }
        tokio::time::sleep(away).await;
        place.process = Some(Process::spawn(place.launch.clone())?);
        Ok(which == 0)
    }

    /// Stops a process for `lasting` without its knowing; gives its number, which is 0 for the one that answers HTTP.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub(super) async fn pause(&mut self, which: usize, lasting: Duration) -> Tried<usize> {
        let which = which % self.places.len();
        if let Some(process) = &self.places[which].process {
            process.signal("STOP").await?;
            tokio::time::sleep(lasting).await;
            process.signal("CONT").await?;
        }
        Ok(which)
    }

    /// Sets the wall clock of all processes so many seconds off.
    ///
    /// # Errors
    /// When the file with the time cannot be written.
    pub(super) fn set_clock(&self, offset: i64) -> Tried<()> {
        match &self.clock {
            Some(file) => write_clock(file, offset),
            None => Ok(()),
        }
    }

    /// Fills the disk for a while.
    pub(super) async fn fill_disk(&self, lasting: Duration) {
        if let Some(disk) = &self.disk {
            let ballast = disk.folder.join("ballast");
            fill(&ballast);
            tokio::time::sleep(lasting).await;
            // Gone already is what is wanted.
            let _ = std::fs::remove_file(ballast);
        }
    }

    /// Starts again what has ended by itself; gives how many that were.
    ///
    /// # Errors
    /// When one cannot be started.
    pub(super) async fn revive(&mut self) -> Tried<u32> {
        let mut ended = 0;
        for place in &mut self.places {
            if !place.process.as_mut().is_some_and(Process::is_alive) {
                ended += 1;
                place.process = Some(Process::spawn(place.launch.clone())?);
            }
        }
        for process in self.places.iter_mut().filter_map(|place| place.process.as_mut()) {
            process.ready().await?;
        }
        Ok(ended)
    }

    /// Stops all in good order, and saves what is on a small disk, which goes away now, where that is wanted.
    ///
    /// # Errors
    /// When one does not end, or the files cannot be copied.
    pub(super) async fn stop(self, saved: Option<&Path>) -> Tried<()> {
        for process in self.places.into_iter().filter_map(|place| place.process) {
            process.stop().await?;
        }
        match (&self.disk, saved) {
            (Some(disk), Some(folder)) => disk.save(folder),
            _ => Ok(()),
        }
    }
}

/// Restarts the database server as its owner said it is to be done.
///
/// # Errors
/// When that fails.
pub(super) async fn restart_database() -> Tried<()> {
    let command = std::env::var(RESTART).unwrap_or_default();
    let done =
        Command::new("sh").args(["-c", &command]).stdin(Stdio::null()).stdout(Stdio::null()).status().await;
    match done.while_trying(|| "restarting the database server".to_owned())?.success() {
        true => Ok(()),
        false => Err(Fault::Usage(format!("{RESTART} failed: {command}"))),
    }
}

/// Which of the wanted faults are possible here; the others with the reason why not.
pub(super) fn possible(wanted: &[Sort], is_postgres: bool, runners: u32) -> (Vec<Sort>, Vec<String>) {
    let (mut can, mut cannot) = (Vec::new(), Vec::new());
    for sort in wanted {
        let reason = match sort {
            Sort::Kill | Sort::Cut => None,
            Sort::Pause => (runners == 0).then_some("a paused process matters only where others take over"),
            Sort::Clock => faketime().is_none().then_some("libfaketime is not installed"),
            Sort::Disk if is_postgres => Some("the database is not in the data folder"),
            Sort::Disk => (!may_mount()).then_some("only root may mount a small disk"),
            Sort::Database if !is_postgres => Some("SQLite has no server"),
            Sort::Database => {
                std::env::var(RESTART).is_err().then_some("SLUICE_TEST_POSTGRES_RESTART is not set")
            }
        };
        match reason {
            None => can.push(*sort),
            Some(reason) => cannot.push(format!("{sort:?}: {reason}")),
        }
    }
    (can, cannot)
}

fn may_mount() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1));
    uid == Some("0")
}

/// The library that moves the clock, where Debian puts it.
fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let library =
        |folder: PathBuf| Some(folder.join("faketime/libfaketime.so.1")).filter(|path| path.is_file());
    folders.filter_map(Result::ok).find_map(|folder| library(folder.path()))
}

/// The variables that put a process under a clock of ours, and the file that says what it shows.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn clock(folder: &Path) -> Tried<(PathBuf, Vec<(String, String)>)> {
    let file = folder.join("clock");
    write_clock(&file, 0)?;
    let library = faketime().unwrap_or_default();
    let variables = [
        ("LD_PRELOAD", library.to_string_lossy().into_owned()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_string_lossy().into_owned()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Ok((file, variables.map(|(name, value)| (name.to_owned(), value)).to_vec()))
}

/// Replaced as a whole: a reader must not see half of it.
fn write_clock(file: &Path, offset: i64) -> Tried<()> {
    let draft = file.with_extension("draft");
    let written = std::fs::write(&draft, format!("{offset:+}")).and_then(|()| std::fs::rename(&draft, file));
    written.while_trying(|| format!("writing {}", file.display()))
}

/// A small disk in memory; unmounted when dropped.
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one on a folder.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) async fn mount(folder: &Path) -> Tried<Self> {
        std::fs::create_dir_all(folder).while_trying(|| format!("making {}", folder.display()))?;
        let size = format!("size={DISK_MIB}m");
        let told =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).status().await;
        match told.while_trying(|| "mounting a small disk".to_owned())?.success() {
            true => Ok(Self { folder: folder.to_owned() }),
            false => Err(Fault::Usage(format!("no small disk could be mounted on {}", folder.display()))),
        }
    }

    /// Copies its files into a new folder; folders on it (payloads) are left.
    fn save(&self, folder: &Path) -> Tried<()> {
        let copy = || {
            std::fs::create_dir_all(folder)?;
            for entry in std::fs::read_dir(&self.folder)? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    std::fs::copy(entry.path(), folder.join(entry.file_name()))?;
                }
            }
            Ok::<_, std::io::Error>(())
        };
        copy().while_trying(|| format!("copying {} to {}", self.folder.display(), folder.display()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, because a process that is just being killed may still have files open.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// Writes until nothing fits any more.
fn fill(file: &Path) {
    let Ok(mut ballast) = std::fs::File::create(file) else { return };
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![0_u8; size];
        while ballast.write_all(&block).is_ok() {}
    }
}
