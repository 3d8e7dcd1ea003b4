//! One installation of the measured program: a folder, a fresh database, a workspace with a key, one or several
//! processes on it. Must not know workloads or faults.

use crate::database::{Database, Kind};
use crate::fault::{Tried, While as _};
use crate::process::{Launch, Process, free_address, last_line};
use crate::rest::Rest;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the workspace that everything happens in.
pub(crate) const WORKSPACE: &str = "load";

/// Secret of the WhatsApp app that signs deliveries; that of `sluice sandbox` when it is told nothing.
pub(crate) const APP_SECRET: &str = "sandbox-app-secret";

/// An installation.
pub(crate) struct House {
    /// The program.
    pub(crate) binary: PathBuf,
    /// Its data folder.
    pub(crate) folder: PathBuf,
    /// Its database.
    pub(crate) database: Database,
    /// Settings of all its processes.
    pub(crate) variables: Vec<(String, String)>,
    /// `host:port` of the process that answers HTTP.
    pub(crate) address: String,
    /// The API key of the workspace.
    pub(crate) key: String,
    /// An API key of the platform, which also sees bodies of which nobody knows yet whom they concern.
    pub(crate) platform_key: String,
}

impl House {
    /// Makes data folder, database, workspace and key. Nothing runs yet.
    ///
    /// # Errors
    /// When the folder or the database cannot be made, or the program refuses.
    pub(crate) async fn furnish(binary: &Path, folder: PathBuf, kind: &Kind, purpose: &str) -> Tried<Self> {
        std::fs::create_dir_all(&folder).while_trying(|| format!("making {}", folder.display()))?;
        let database = Database::fresh(kind, &folder, purpose).await?;
        let settings = ["--data", &folder.to_string_lossy(), "--database", &database.url].map(str::to_owned);
        let command = ["key", "create", "--workspace", WORKSPACE, "--create"].map(str::to_owned);
        let key = last_line(binary, &[command.to_vec(), settings.to_vec()].concat()).await?;
        let command = ["key", "create", "--platform"].map(str::to_owned);
        let platform_key = last_line(binary, &[command.to_vec(), settings.to_vec()].concat()).await?;
        let variables = [
            ("SLUICE_DATA", &*folder.to_string_lossy()),
            ("SLUICE_DATABASE_URL", &database.url),
            ("SLUICE_EGRESS_ALLOW", "127.0.0.1"),
            ("SLUICE_LOG", "warn"),
            ("SLUICE_WHATSAPP_APP_SECRET", APP_SECRET),
            ("SLUICE_WHATSAPP_VERIFY_TOKEN", "load"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let binary = binary.to_owned();
        Ok(Self { binary, folder, database, variables, address: free_address()?, key, platform_key })
    }

    /// How a process of a role is started; `all` and `api` take the installation's address.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) fn launch(&self, role: &str, name: &str) -> Tried<Launch> {
        let address = if role == "runner" { free_address()? } else { self.address.clone() };
        let arguments = ["serve", "--role", role, "--listen", &address].map(str::to_owned).to_vec();
        Ok(Launch {
            binary: self.binary.clone(),
            arguments,
            variables: self.variables.clone(),
            // Beside the data folder: that may be a small disk which is filled, or go away.
            log: PathBuf::from(format!("{}-{name}.log", self.folder.display())),
            address,
        })
    }

    /// Starts the one process that does everything, and gives how long it took to be ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub(crate) async fn start(&self) -> Tried<(Process, Duration)> {
        Process::start(self.launch("all", "serve")?).await
    }

    /// The REST API with the platform's key.
    pub(crate) fn platform(&self) -> Rest {
        Rest::new(&self.address, &self.platform_key)
    }

    /// The REST API with the workspace's key.
    pub(crate) fn rest(&self) -> Rest {
        Rest::new(&self.address, &self.key)
    }
}
