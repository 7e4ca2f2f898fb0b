//! Ctrl-C, and what schedulers send (SIGTERM): the work is told, and tidies up behind itself; a second one ends at once.
//!
//! Owns: the signal. Promises: from the first call of [`watch`] on no interruption is lost, and work that can't look (in the midst
//! of a calculation) ends nevertheless, where it said that it leaves nothing behind.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::watch::{Receiver, Sender, channel};

use crate::error::Exit;

/// How long work may go on that leaves nothing behind.
const GRACE: Duration = Duration::from_millis(1_500);

static WATCH: OnceLock<(Arc<AtomicBool>, Receiver<bool>)> = OnceLock::new();
/// How many guards of [`expendable`] there are.
static EXPENDABLE: AtomicUsize = AtomicUsize::new(0);

fn state() -> &'static (Arc<AtomicBool>, Receiver<bool>) {
    WATCH.get_or_init(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let (tell, told) = channel(false);
        // Without a listener, Ctrl-C ends the program the default way.
        listen(Arc::clone(&flag), tell);
        (flag, told)
    })
}

/// A flag that turns true when the user interrupts. The first call begins to listen, and has begun when it returns.
pub fn watch() -> Arc<AtomicBool> {
    Arc::clone(&state().0)
}

/// Returns when the user interrupts, or did before.
pub async fn interrupted() {
    let mut told = state().1.clone();
    if told.wait_for(|told| *told).await.is_err() {
        // Nobody listens: there is nothing to wait for.
        std::future::pending::<()>().await;
    }
}

/// While this lives, the work under way leaves nothing behind that matters: after an interruption the program ends in a moment,
/// whether or not the work has looked at the flag.
pub fn expendable() -> Expendable {
    EXPENDABLE.fetch_add(1, Ordering::SeqCst);
    Expendable
}

/// See [`expendable`].
pub struct Expendable;

impl Drop for Expendable {
    fn drop(&mut self) {
        EXPENDABLE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Returns at the next signal.
#[cfg(unix)]
async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn signalled() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

fn listen(flag: Arc<AtomicBool>, tell: Sender<bool>) {
    let (ready, listening) = std::sync::mpsc::channel();
    let wait = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let mut signal = std::pin::pin!(signalled());
            // The first poll registers; only then may anybody rely on it.
            let first = futures::poll!(signal.as_mut());
            let _ = ready.send(());
            let heard = match first {
                std::task::Poll::Ready(heard) => heard,
                std::task::Poll::Pending => signal.await,
            };
            if heard.is_err() {
                return std::future::pending().await;
            }
            flag.store(true, Ordering::SeqCst);
            let _ = tell.send(true);
            let since = Instant::now();
            let mut again = std::pin::pin!(signalled());
            loop {
                tokio::select! {
                    _ = again.as_mut() => std::process::exit(Exit::Interrupted as i32),
                    () = tokio::time::sleep(Duration::from_millis(50)) => {}
                }
                if since.elapsed() > GRACE && EXPENDABLE.load(Ordering::SeqCst) > 0 {
                    std::process::exit(Exit::Interrupted as i32);
                }
            }
        });
    };
    if std::thread::Builder::new().name("interrupt".to_owned()).spawn(wait).is_ok() {
        let _ = listening.recv();
    }
}
