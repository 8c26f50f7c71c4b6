//! A customer's payment: asked for, and looked up.

use std::time::{SystemTime, UNIX_EPOCH};

use tollgate_core::money::Amount;
use tollgate_core::payment::{Intent, Method, ProviderError, Seen, SeenDispute, SeenState, Started};

use super::amounts::{from_minor, to_minor};
use super::objects::{
    Charge, Customer, Dispute, Expandable, List, Metadata, PaymentIntent, PaymentMethod, Refund, Session,
};
use super::wire::{Fields, Wire, id};
use super::{APP, CUSTOMER, PAYMENT};
use crate::code::digest;

/// A session can be paid for 24 hours; twice that leaves time for the search to find what was paid.
const SESSION_SECONDS: u64 = 48 * 60 * 60;
/// Letters of a client reference.
const CLIENT_REFERENCE_MAX: usize = 200;

/// Asks for a payment: a page to pay on, or the saved method is charged.
pub(super) fn start(wire: &Wire, intent: &Intent) -> Result<Started, ProviderError> {
    let amount = to_minor(intent.amount, &intent.currency)?;
    match &intent.method {
        Method::Checkout { success_url, cancel_url } => {
            let form = checkout_form(intent, amount, success_url, cancel_url);
            let session = match wire.post("/v1/checkout/sessions", &form, &key(intent)) {
                // It may be there all the same, and only its page is of use to the customer.
                Err(ProviderError::Unknown(words)) => {
                    let found = find_session(wire, intent).unwrap_or_default();
                    found.ok_or(ProviderError::Unknown(words))?
                }
                made => made?,
            };
            Ok(Started { reference: session.id, url: session.url })
        }
        Method::Saved { payer } => {
            // The key may be forgotten; what it made is not.
            let payment = match find_payment(wire, intent, payer)? {
                Some(payment) => payment,
                None => {
                    wire.post("/v1/payment_intents", &saved_form(wire, intent, amount, payer)?, &key(intent))?
                }
            };
            Ok(Started { reference: payment.id, url: None })
        }
        Method::Transfer => Err(not_by_transfer()),
    }
}

/// What Stripe shows of a payment; of one without a reference, what can be found by its metadata.
pub(super) fn look_up(
    wire: &Wire,
    intent: &Intent,
    reference: Option<&str>,
) -> Result<Option<Seen>, ProviderError> {
    if let Some(reference) = reference {
        return known(wire, intent, reference).map(Some);
    }
    match &intent.method {
        Method::Checkout { .. } => match find_session(wire, intent)? {
            Some(session) => seen_of_session(wire, intent, session).map(Some),
            None => search_payment(wire, intent)?.map(|payment| seen_of(wire, intent, &payment)).transpose(),
        },
        Method::Saved { payer } => {
            find_payment(wire, intent, payer)?.map(|payment| seen_of(wire, intent, &payment)).transpose()
        }
        Method::Transfer => Err(not_by_transfer()),
    }
}

/// The payment intent that a reference names; `None` when a session has none yet.
pub(super) fn payment_intent_of(wire: &Wire, reference: &str) -> Result<Option<String>, ProviderError> {
    let reference = id("payment", reference)?;
    if !reference.starts_with("cs_") {
        return Ok(Some(reference.to_owned()));
    }
    let session: Option<Session> = wire.get(&format!("/v1/checkout/sessions/{reference}"), &Vec::new())?;
    Ok(session.ok_or_else(|| foreign(reference))?.payment_intent.map(|payment| match payment {
        Expandable::Id(id) => id,
        Expandable::Object(payment) => payment.id,
    }))
}

/// The payment intent of an id.
pub(super) fn payment_intent(wire: &Wire, id: &str) -> Result<PaymentIntent, ProviderError> {
    let query = vec![("expand[]", "latest_charge".to_owned())];
    wire.get(&format!("/v1/payment_intents/{id}"), &query)?.ok_or_else(|| foreign(id))
}

/// What Stripe once named and now does not know is not asked for a second time.
pub(super) fn foreign(reference: &str) -> ProviderError {
    ProviderError::Unavailable(format!(
        "Stripe does not know {reference}, which it once named: is the secret key another account's, or for testing?"
    ))
}

fn not_by_transfer() -> ProviderError {
    ProviderError::Unsupported(
        "Stripe takes payments by \"checkout\" or by a \"saved\" method, not by transfer".into(),
    )
}

fn key(intent: &Intent) -> String {
    format!("payment:{}", intent.key)
}

/// The key, for people who look at Stripe's pages, as long as Stripe takes it.
fn client_reference(key: &str) -> String {
    if key.len() <= CLIENT_REFERENCE_MAX { key.to_owned() } else { digest(key) }
}

fn checkout_form<'a>(intent: &Intent, amount: i64, success_url: &str, cancel_url: &str) -> Fields<'a> {
    vec![
        ("mode", "payment".into()),
        ("success_url", success_url.to_owned()),
        ("cancel_url", cancel_url.to_owned()),
        // The customer pays the amount asked for, in its currency, and no other.
        ("adaptive_pricing[enabled]", "false".into()),
        ("line_items[0][quantity]", "1".into()),
        ("line_items[0][price_data][currency]", intent.currency.to_ascii_lowercase()),
        ("line_items[0][price_data][unit_amount]", amount.to_string()),
        ("line_items[0][price_data][product_data][name]", "Top-up".into()),
        ("client_reference_id", client_reference(&intent.key)),
        // A method is saved for somebody: without a customer it would be forgotten.
        ("customer_creation", "always".into()),
        ("payment_intent_data[setup_future_usage]", "off_session".into()),
        ("metadata[tollgate_app]", intent.app.clone()),
        ("metadata[tollgate_customer]", intent.customer.clone()),
        ("metadata[tollgate_payment]", intent.id.clone()),
        ("payment_intent_data[metadata][tollgate_app]", intent.app.clone()),
        ("payment_intent_data[metadata][tollgate_customer]", intent.customer.clone()),
        ("payment_intent_data[metadata][tollgate_payment]", intent.id.clone()),
    ]
}

fn saved_form<'a>(
    wire: &Wire,
    intent: &Intent,
    amount: i64,
    payer: &str,
) -> Result<Fields<'a>, ProviderError> {
    Ok(vec![
        ("amount", amount.to_string()),
        ("currency", intent.currency.to_ascii_lowercase()),
        ("customer", payer.to_owned()),
        ("payment_method", saved_method(wire, payer)?),
        ("confirm", "true".into()),
        ("off_session", "true".into()),
        ("automatic_payment_methods[enabled]", "true".into()),
        ("automatic_payment_methods[allow_redirects]", "never".into()),
        ("metadata[tollgate_app]", intent.app.clone()),
        ("metadata[tollgate_customer]", intent.customer.clone()),
        ("metadata[tollgate_payment]", intent.id.clone()),
    ])
}

/// The payer's default method, or the one saved last.
fn saved_method(wire: &Wire, payer: &str) -> Result<String, ProviderError> {
    let path = format!("/v1/customers/{}", id("customer", payer)?);
    let customer: Customer = wire
        .get(&path, &Vec::new())?
        .ok_or_else(|| ProviderError::Refused(format!("Stripe knows no customer {payer:?}")))?;
    if let Some(method) = customer.invoice_settings.and_then(|settings| settings.default_payment_method) {
        return Ok(method);
    }
    let methods: Option<List<PaymentMethod>> =
        wire.get(&format!("{path}/payment_methods"), &vec![("limit", "1".into())])?;
    let method = methods.and_then(|methods| methods.data.into_iter().next());
    method.map(|method| method.id).ok_or_else(|| {
        ProviderError::Refused(format!(
            "the customer {payer:?} has no saved payment method: let them check out once"
        ))
    })
}

fn is_of(metadata: &Metadata, intent: &Intent) -> bool {
    metadata.get(APP) == Some(&intent.app)
        && metadata.get(CUSTOMER) == Some(&intent.customer)
        && metadata.get(PAYMENT) == Some(&intent.id)
}

/// The session of a payment: of several, which a lost reply may have made, the one that is paid, or the newest.
fn find_session(wire: &Wire, intent: &Intent) -> Result<Option<Session>, ProviderError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = now.as_secs().saturating_sub(SESSION_SECONDS);
    let query = vec![("created[gte]", since.to_string())];
    let mut sessions = wire.list("/v1/checkout/sessions", &query, |session: &Session| &session.id)?;
    sessions.retain(|session| is_of(&session.metadata, intent));
    sessions.sort_by_key(|session| session.payment_status.as_deref() != Some("paid"));
    Ok(sessions.into_iter().next())
}

/// The payment intent of a payment by a saved method.
fn find_payment(wire: &Wire, intent: &Intent, payer: &str) -> Result<Option<PaymentIntent>, ProviderError> {
    let query =
        vec![("customer", id("customer", payer)?.to_owned()), ("expand[]", "data.latest_charge".into())];
    let payments = wire.list("/v1/payment_intents", &query, |payment: &PaymentIntent| &payment.id)?;
    Ok(payments.into_iter().find(|payment| is_of(&payment.metadata, intent)))
}

/// The payment intent that a session became long ago. The search lags behind by a minute, in bad times by an
/// hour, so it is asked last.
fn search_payment(wire: &Wire, intent: &Intent) -> Result<Option<PaymentIntent>, ProviderError> {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let (app, payment) = (quoted(&intent.app), quoted(&intent.id));
    let words = format!("metadata['{APP}']:'{app}' AND metadata['{PAYMENT}']:'{payment}'");
    let query = vec![("query", words), ("limit", "10".into()), ("expand[]", "data.latest_charge".into())];
    let found: Option<List<PaymentIntent>> = wire.get("/v1/payment_intents/search", &query)?;
    let mut found = found.map(|list| list.data).unwrap_or_default();
    found.retain(|payment| is_of(&payment.metadata, intent));
    found.sort_by_key(|payment| payment.status != "succeeded");
    Ok(found.into_iter().next())
}

fn known(wire: &Wire, intent: &Intent, reference: &str) -> Result<Seen, ProviderError> {
    let reference = id("payment", reference)?;
    if !reference.starts_with("cs_") {
        return seen_of(wire, intent, &payment_intent(wire, reference)?);
    }
    let query = vec![("expand[]", "payment_intent.latest_charge".to_owned())];
    let session: Option<Session> = wire.get(&format!("/v1/checkout/sessions/{reference}"), &query)?;
    seen_of_session(wire, intent, session.ok_or_else(|| foreign(reference))?)
}

fn seen_of_session(wire: &Wire, intent: &Intent, session: Session) -> Result<Seen, ProviderError> {
    let seen = match session.payment_intent {
        Some(Expandable::Id(id)) => Some(seen_of(wire, intent, &payment_intent(wire, &id)?)?),
        Some(Expandable::Object(payment)) => Some(seen_of(wire, intent, &payment)?),
        None => None,
    };
    let expired = session.status.as_deref() == Some("expired");
    let unpaid =
        if expired { SeenState::Failed("the page to pay on expired".into()) } else { SeenState::Pending };
    Ok(match seen {
        None => {
            let (refunded, disputes) = (Amount::ZERO, Vec::new());
            Seen { reference: session.id, state: unpaid, url: session.url, payer: None, refunded, disputes }
        }
        // While the page is open, the customer may try again after a failure.
        Some(seen)
            if session.status.as_deref() == Some("open") && matches!(seen.state, SeenState::Failed(_)) =>
        {
            Seen { reference: session.id, state: SeenState::Pending, url: session.url, ..seen }
        }
        Some(seen) if expired && seen.state == SeenState::Pending => Seen { state: unpaid, ..seen },
        Some(seen) => seen,
    })
}

fn seen_of(wire: &Wire, intent: &Intent, payment: &PaymentIntent) -> Result<Seen, ProviderError> {
    let state = match payment.status.as_str() {
        "succeeded" => SeenState::Succeeded,
        "canceled" => SeenState::Failed("it was cancelled".into()),
        "requires_payment_method" => {
            let words = payment.last_payment_error.as_ref().and_then(|error| error.message.clone());
            SeenState::Failed(words.unwrap_or_else(|| "it was not paid".into()))
        }
        _ => SeenState::Pending,
    };
    if state == SeenState::Succeeded {
        let received = from_minor(payment.amount_received, &payment.currency)?;
        if received != intent.amount || !payment.currency.eq_ignore_ascii_case(&intent.currency) {
            return Err(ProviderError::Unknown(format!(
                "Stripe received {received} {} for {}, but {} {} was asked for",
                payment.currency, payment.id, intent.amount, intent.currency
            )));
        }
    }
    let (mut refunded, mut disputes) = (Amount::ZERO, Vec::new());
    if let Some(Expandable::Object(Charge { amount_refunded, disputed })) = &payment.latest_charge {
        if *amount_refunded > 0 {
            refunded = refunded_of(wire, payment)?;
        }
        if *disputed {
            disputes = disputes_of(wire, payment)?;
        }
    }
    let payer = payment.customer.clone().filter(|_| state == SeenState::Succeeded);
    Ok(Seen { reference: payment.id.clone(), state, url: None, payer, refunded, disputes })
}

/// What went back, and on its way back, without what failed to.
fn refunded_of(wire: &Wire, payment: &PaymentIntent) -> Result<Amount, ProviderError> {
    let refunds = refunds_of(wire, &payment.id)?;
    let refunds = refunds.iter().filter(|refund| !refund.has_failed());
    let minor = refunds.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount));
    from_minor(minor, &payment.currency)
}

pub(super) fn refunds_of(wire: &Wire, payment: &str) -> Result<Vec<Refund>, ProviderError> {
    wire.list("/v1/refunds", &vec![("payment_intent", payment.to_owned())], |refund: &Refund| &refund.id)
}

/// Disputes that took money. An inquiry (`warning_…`) has taken none, nor has what was prevented.
fn disputes_of(wire: &Wire, payment: &PaymentIntent) -> Result<Vec<SeenDispute>, ProviderError> {
    let query = vec![("payment_intent", payment.id.clone())];
    let mut disputes = wire.list("/v1/disputes", &query, |dispute: &Dispute| &dispute.id)?;
    disputes.retain(|dispute| !dispute.status.starts_with("warning_") && dispute.status != "prevented");
    let seen = |dispute: Dispute| {
        let amount = from_minor(dispute.amount, &payment.currency)?;
        Ok(SeenDispute { id: dispute.id, amount, is_won: dispute.status == "won" })
    };
    disputes.into_iter().rev().map(seen).collect()
}
