//! A sandbox on a free port for test suites in other languages: prints its base URL and runs until its standard input ends.
//!
//! It must not know what the tests do.

use sluice_sandbox::{Sandbox, SandboxConfig, StatusStep};
use tokio::io::AsyncReadExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let step = |status: &str| StatusStep::new(status, 0);
    let config = SandboxConfig {
        statuses: vec![step("sent"), step("delivered"), step("read"), step("played")],
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config).await?;
    println!("{}", sandbox.base_url());
    // The parent's end closes the pipe, so no stray process is left behind.
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
