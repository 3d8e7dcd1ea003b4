//! Long computations, out of the way of the tasks of their thread. Must not know what is computed.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Computes something while the other tasks of this thread go on in another: for what takes longer than a millisecond,
/// because handing them over takes about a hundredth of that. In a runtime of one thread only, as in tests, everything else waits.
pub(crate) fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Of one worker: what is computed waits for a task that only another thread can run meanwhile.
    #[test]
    fn others_go_on_meanwhile() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let heard = runtime.block_on(runtime.spawn(async {
            let (tell, told) = mpsc::channel();
            tokio::spawn(async move { tell.send(17) });
            aside(move || told.recv())
        }));
        assert_eq!(heard.unwrap(), Ok(17));
    }

    #[tokio::test]
    async fn in_one_thread_it_is_just_done() {
        assert_eq!(aside(|| 17), 17);
    }
}
