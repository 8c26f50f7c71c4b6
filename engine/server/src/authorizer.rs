//! The one way in for authorisations: those that wait together are decided together.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use tollgate_core::engine::{
    Authorization, AuthorizationRequest, Engine, EngineError, PendingAuthorizations,
};
use tollgate_core::store::StoreError;

use crate::body::Room;
use crate::lane::{Lane, LaneError, Rules, Work};
use crate::telemetry::LaneFigures;

/// So many may wait.
const QUEUE_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);
/// So many are decided together: recording waits while they are.
const BATCH_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// Authorises events for any number of requests at once.
pub type Authorizer = Lane<Authorizing>;

/// Authorises events.
pub struct Authorizing(Arc<Engine>);

/// Authorisations on their way.
pub enum Underway<'w> {
    /// In one go.
    Together(Vec<AuthorizationRequest>, PendingAuthorizations<'w>),
    /// Not yet: together they failed, which may be the fault of one.
    OneByOne(Vec<AuthorizationRequest>),
}

impl Work for Authorizing {
    type Item = AuthorizationRequest;
    type Answer = Result<Authorization, Arc<EngineError>>;
    type Pending<'w> = Underway<'w>;
    const STANDS_BACK: bool = false;

    fn submit(&self, requests: &[AuthorizationRequest]) -> Result<Underway<'_>, EngineError> {
        let requests = requests.to_vec();
        match self.0.submit_authorizations(requests.clone()) {
            Ok(pending) => Ok(Underway::Together(requests, pending)),
            Err(EngineError::Store(StoreError::Full)) => Err(StoreError::Full.into()),
            Err(_) => Ok(Underway::OneByOne(requests)),
        }
    }

    fn wait(&self, underway: Underway<'_>) -> Result<Vec<Self::Answer>, EngineError> {
        let requests = match underway {
            Underway::Together(requests, pending) => match pending.wait() {
                Ok(answers) => return Ok(answers.into_iter().map(Ok).collect()),
                Err(_) => requests,
            },
            Underway::OneByOne(requests) => requests,
        };
        let one = |AuthorizationRequest { event, now, expires_at }: &_| {
            self.0.authorize(event, *now, *expires_at).map_err(Arc::new)
        };
        Ok(requests.iter().map(one).collect())
    }

    /// Routes count what they answer.
    fn count(&self, _answers: &[Self::Answer]) {}
}

impl Authorizer {
    /// Starts authorising.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(engine: Arc<Engine>, figures: LaneFigures) -> std::io::Result<Self> {
        let rules = Rules { queue_max: QUEUE_MAX, batch_max: BATCH_MAX, wait: Duration::ZERO };
        Self::open("authorizer", Authorizing(engine), rules, figures)
    }

    /// Authorises one event, and returns once what is reserved is durable. The room that it holds among all
    /// bodies is given back then.
    ///
    /// # Errors
    /// As [`Lane::ask`].
    pub async fn authorize(
        &self,
        request: AuthorizationRequest,
        room: Option<Room>,
    ) -> Result<Authorization, LaneError> {
        let answers = self.ask(vec![request], room).await?;
        let answer = answers.into_iter().next().ok_or(LaneError::Panicked)?;
        Ok(answer?)
    }
}
