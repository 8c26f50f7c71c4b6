//! `/v1/providers`: what payment providers say, and what those who ran the inference are owed.
//!
//! A message of a payment provider has no key: its signature says whose it is. What it says is not believed; the
//! payment or payout that it names is looked up.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollgate_core::engine::Engine;
use tollgate_core::ledger::Owner;
use tollgate_core::money::{Amount, format_nano};
use tollgate_core::payment::ProviderError;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charge::moment;
use crate::auth::Caller;
use crate::backend::Backend;
use crate::body::{self, Body, BodyLimits};
use crate::extract::Path;
use crate::money::{Subject, payout_of};
use crate::page::{Page, Paging};
use crate::problem::{Kind, Problem};

/// The most bytes of a message. Anybody may send one.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(list_settlements, settle_provider))
}

/// The route that has no key: it stands outside of the layers that ask for one.
pub(super) fn open_routes() -> OpenApiRouter<Arc<Backend>> {
    OpenApiRouter::new().routes(routes!(receive_message))
}

/// Take a payment provider's message
///
/// For payment providers, not for people: it needs no key, but the provider's signature over the body, in the
/// header that the provider uses (`stripe-signature`). The payment or payout that it names is looked up with the
/// provider before it is answered, so a message may come twice, late, or out of order.
#[utoipa::path(
    post, path = "/v1/providers/{provider}/webhook", tag = "Providers", operation_id = "receive_message",
    params(("provider" = String, Path, description = "The payment provider.", example = "stripe")),
    request_body(content = Object, description = "As the provider sends it", example = json!({"id": "evt_1"})),
    responses(
        (status = 204, description = "Taken, also when it is about nothing that is kept here."),
        (status = 400, description = "It is not the provider's, too old, or cannot be read."),
        (status = 404, description = "This server has no such provider, or it sends no messages."),
        (status = 503, description = "It could not be acted upon in time: send it again."),
    ),
    security(()),
)]
async fn receive_message(
    State(backend): State<Arc<Backend>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let figures = |answer| backend.telemetry.money().message(answer);
    let Some(provider) = backend.money.provider(&name) else {
        figures("unknown");
        return Err(Problem::not_found(format!("there is no payment provider {name:?}")));
    };
    let signature = signature(request.headers(), &name);
    let limits = BodyLimits { received_max: MESSAGE_BYTES_MAX, unpacked_max: MESSAGE_BYTES_MAX };
    let received = body::receive(&backend, request, limits).await?;
    let nudge = match backend.read_message(provider, signature, received.bytes).await {
        Ok(nudge) => nudge,
        Err(error) => {
            figures(if matches!(error, ProviderError::Forged(_)) { "forged" } else { "refused" });
            tracing::warn!(provider = name, %error, "a message was refused");
            return Err(unreadable(error));
        }
    };
    let payment = nudge.payment.map(|(app, id)| Subject::Payment(app, id));
    let payout = nudge.transfer.as_deref().and_then(payout_of).map(Subject::Payout);
    for subject in payment.into_iter().chain(payout) {
        match backend.advance_soon(subject).await {
            Ok(Some(_)) => {}
            // It may be another system's that shares the provider's account.
            Err(problem) if problem.kind() == Kind::NotFound => {}
            Ok(None) => {
                figures("late");
                return Err(Problem::unavailable("the provider has not answered in time: send it again"));
            }
            Err(problem) => {
                figures("failed");
                return Err(problem);
            }
        }
    }
    figures("taken");
    Ok(StatusCode::NO_CONTENT)
}

/// The signature, in the header that bears the provider's name, or in that of Standard Webhooks.
fn signature(headers: &HeaderMap, provider: &str) -> String {
    let names = [format!("{provider}-signature"), "webhook-signature".to_owned()];
    let found = names.iter().find_map(|name| headers.get(name)?.to_str().ok());
    found.unwrap_or_default().to_owned()
}

fn unreadable(error: ProviderError) -> Problem {
    match error {
        ProviderError::Forged(_) | ProviderError::Refused(_) => Problem::malformed(error.to_string()),
        ProviderError::Unsupported(why) => Problem::not_found(why),
        ProviderError::Unavailable(_) | ProviderError::Unknown(_) => {
            Problem::unavailable("the message could not be looked into: send it again")
        }
    }
}

/// What a provider of inference is owed, in one currency.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderStanding {
    /// Who ran the inference; `network` where events do not say.
    #[schema(example = "openai")]
    provider: String,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// What is owed for network costs, and not yet settled.
    #[schema(example = "81.20")]
    owed: String,
    /// What was posted to the provider, less what was settled: network costs, and what was taken back.
    #[schema(example = "481.20")]
    credited: String,
    /// What was settled or taken back.
    #[schema(example = "400")]
    debited: String,
}

/// Network costs that were paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSettlement {
    /// Who was paid.
    #[schema(example = "openai", min_length = 1, max_length = 256)]
    provider: String,
    /// ISO 4217 code.
    #[schema(example = "USD")]
    currency: String,
    /// How much: a whole number of minor units.
    #[schema(value_type = String, example = "81.20")]
    amount: Amount,
    /// What the bank's statement says; unique for the provider.
    #[schema(example = "INV-2026-11", min_length = 1, max_length = 256)]
    reference: String,
}

/// Network costs that were paid, as booked.
#[derive(Debug, Serialize, ToSchema)]
struct Settlement {
    /// Who was paid.
    #[schema(example = "openai")]
    provider: String,
    /// ISO 4217 code.
    #[schema(example = "USD")]
    currency: String,
    /// How much.
    #[schema(value_type = String, example = "81.20")]
    amount: Amount,
    /// What the bank's statement says.
    #[schema(example = "INV-2026-11")]
    reference: String,
    /// When it was booked.
    #[schema(format = DateTime, example = "2026-12-01T09:00:00Z")]
    at: String,
}

/// List what providers are owed
///
/// For the platform: by provider and currency, the network costs that are not yet settled.
#[utoipa::path(
    get, path = "/v1/providers/settlements", tag = "Providers", operation_id = "list_settlements", params(Paging),
    responses((status = 200, description = "A page, by provider and currency.", body = Page<ProviderStanding>)),
)]
async fn list_settlements(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<ProviderStanding>>, Problem> {
    caller.platform()?;
    let after: Option<(String, String)> = paging.after()?;
    let list = move |engine: &Engine| {
        let mut found = Vec::new();
        for (account, balance) in engine.store().balances()? {
            let Owner::Provider(provider) = account.owner else { continue };
            let owed = balance.net().ok_or_else(Problem::internal)?;
            let (credited, debited) = (balance.credits_posted, balance.debits_posted);
            let [owed, credited, debited] = [owed, credited, debited].map(format_nano);
            let currency = account.currency;
            found.push(ProviderStanding { provider, currency, owed, credited, debited });
        }
        let place = |standing: &ProviderStanding| (standing.provider.clone(), standing.currency.clone());
        found.sort_by_key(place);
        found.retain(|standing| after.as_ref().is_none_or(|after| place(standing) > *after));
        Page::cut(found, &paging, place).map(Json)
    };
    backend.call(list).await
}

/// Settle with a provider
///
/// For the platform: books that network costs were paid, by bank. The same reference again changes nothing.
#[utoipa::path(
    post, path = "/v1/providers/settlements", tag = "Providers", operation_id = "settle_provider",
    request_body(content = NewSettlement, example = json!({"provider": "openai", "currency": "USD",
        "amount": "81.20", "reference": "INV-2026-11"})),
    responses(
        (status = 200, description = "It is booked.", body = Settlement),
        (status = 409, description = "Another settlement has the reference."),
    ),
)]
async fn settle_provider(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    Body(new): Body<NewSettlement>,
) -> Result<Json<Settlement>, Problem> {
    caller.platform()?;
    let settle = move |engine: &Engine| {
        let NewSettlement { provider, currency, amount, reference } = new;
        let now = Timestamp::now().as_millisecond();
        let entry = engine.settle_provider(&provider, &currency, amount, &reference, now)?;
        Ok::<_, Problem>(Json(Settlement { provider, currency, amount, reference, at: moment(entry.at) }))
    };
    backend.call(settle).await
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_signature_is_in_the_provider_s_own_header_or_in_the_common_one() {
        let headers = |name: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static("t=1"))])
        };
        assert_eq!(signature(&headers("stripe-signature"), "stripe"), "t=1");
        assert_eq!(signature(&headers("webhook-signature"), "stripe"), "t=1");
        assert_eq!(signature(&headers("stripe-signature"), "other"), "");
        assert_eq!(signature(&headers("stripe-signature"), "no header name"), "");
    }
}
