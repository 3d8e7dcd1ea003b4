//! Payloads as files in a folder: `folder/workspace/run/place-random`. Each is written under another name, brought to
//! the disk and renamed, so that a file with its name is whole. Must not know what is in them.

use super::{KeptPayload, PayloadError, PayloadPlace};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// The ending of a file that is being written.
const UNFINISHED: &str = ".tmp";

/// How often a folder is made again that somebody removed as empty just before the file was made.
const TRIES: usize = 20;

/// A folder of payloads.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Payloads in `path`, which is made when the first one is written.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(&Path, &Path) -> Result<T, PayloadError> + Send + 'static,
    ) -> Result<T, PayloadError> {
        let (root, path) = (self.0.clone(), self.0.join(key));
        // A reference comes from the database; it must not lead out of the folder all the same.
        let is_inside = !key.starts_with('/') && key.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_inside {
            return Err(PayloadError::Setting(format!("{key:?} is not the key of a payload")));
        }
        match tokio::task::spawn_blocking(move || work(&root, &path)).await {
            Ok(done) => done,
            Err(error) => Err(PayloadError::Setting(format!("the work on a file was lost: {error}"))),
        }
    }
}

#[async_trait]
impl PayloadPlace for Folder {
    async fn put(&self, key: &str, body: Bytes) -> Result<(), PayloadError> {
        self.on_disk(key, move |root, path| write(root, path, &body).map_err(refused(path))).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, PayloadError> {
        self.on_disk(key, |_, path| match fs::read(path) {
            Ok(body) => Ok(Some(body.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(path)(error)),
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<(), PayloadError> {
        self.on_disk(key, |_, path| {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(path)(error)),
                _ => {}
            }
            // The run's folder goes with its last payload; while there are others the system refuses.
            let _ = path.parent().map(fs::remove_dir);
            Ok(())
        })
        .await
    }

    fn list(&self) -> BoxStream<'static, Result<KeptPayload, PayloadError>> {
        let root = self.0.clone();
        let (sender, receiver) = mpsc::channel(64);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = walk(&root, &root, &sender) {
                // The reader may have gone away.
                let _ = sender.blocking_send(Err(error));
            }
        });
        ReceiverStream::new(receiver).boxed()
    }

    fn name(&self) -> String {
        format!("file:{}", self.0.display())
    }
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> PayloadError {
    move |source| PayloadError::File { path: path.display().to_string(), source }
}

/// Writes and brings to the disk: the file, its name, and the names of the folders above it.
fn write(root: &Path, path: &Path, body: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    let unfinished = PathBuf::from(name);
    let mut file = create(&unfinished)?;
    let written =
        file.write_all(body).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // A full disk is not to be filled with halves. What cannot be removed now is swept later.
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    let above = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    above.into_iter().try_for_each(|folder| File::open(folder)?.sync_all())?;
    // The folder itself may be new as well.
    match root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn create(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut last = Err(io::Error::from(ErrorKind::NotFound));
    for _ in 0..TRIES {
        fs::create_dir_all(folder)?;
        last = File::create_new(path);
        match &last {
            // Somebody deleted the last payload of the run, and the folder with it.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            _ => break,
        }
    }
    last
}

/// Goes through a folder and those in it. What disappears meanwhile is left out.
fn walk(
    root: &Path,
    folder: &Path,
    found: &mpsc::Sender<Result<KeptPayload, PayloadError>>,
) -> Result<(), PayloadError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(refused(folder))?;
        let path = entry.path();
        let about = match entry.metadata() {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(refused(&path)(error)),
        };
        if about.is_dir() {
            walk(root, &path, found)?;
            continue;
        }
        let Some(key) = path.strip_prefix(root).ok().and_then(Path::to_str) else { continue };
        let written = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let written_at = written.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        let kept = KeptPayload { key: key.to_owned(), written_at };
        if found.blocking_send(Ok(kept)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
