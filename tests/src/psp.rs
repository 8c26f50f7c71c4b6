//! A payment provider that behaves as badly as a real one: a stateful fake of Stripe, on a port of this machine.
//!
//! It keeps what it is told to make, honours idempotency keys as Stripe documents them, and can lose replies,
//! fail before or after the work is done, and send messages twice, late, in another order or never. What
//! customers, banks and people at Stripe would do is done by the test, through the methods of [`Psp`].

mod conduct;
mod controls;
mod outbox;
mod requests;
mod shown;
mod world;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

pub use conduct::{Conduct, Fate};
pub use controls::{PaidIn, PaidOut, Totals};

use requests::Request;
use world::World;

/// The secret key that is taken.
pub const SECRET_KEY: &str = "sk_test_fake";
/// What messages are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_fake";

/// A running fake. It stops when dropped.
pub struct Psp {
    /// Where it listens: `http://127.0.0.1:…`.
    pub address: String,
    world: Arc<Mutex<World>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Psp {
    /// Starts one that behaves like this.
    pub fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::new(conduct)));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&world);
        let thread = std::thread::spawn(move || serve(listener, shared, stopped));
        Self { address, world, stop: Some(stop), thread: Some(thread) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl Drop for Psp {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: TcpListener, world: Arc<Mutex<World>>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let router = Router::new().fallback(answer).with_state(world);
        tokio::select! {
            served = axum::serve(listener, router) => served.unwrap(),
            _ = stopped => {}
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request::new(&method, &uri, &headers, &body);
    let (fate, reply) = {
        let mut world = world.lock().unwrap();
        let fate = world.conduct.fate();
        (fate, world.answer(&request, fate))
    };
    if let Fate::Slow(milliseconds) = fate {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    if matches!(fate, Fate::LostBefore | Fate::LostAfter) {
        // The connection ends with its task, and nobody hears why.
        std::panic::resume_unwind(Box::new("the reply is lost"));
    }
    let (status, json) = reply;
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}
