//! Requests to the fake: keys honoured, parameters checked, objects made and listed.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};

use super::SECRET_KEY;
use super::conduct::Fate;
use super::world::{Metadata, Payment, Refund, Session, Transfer, World};

type Reply = (u16, Value);

pub(super) struct Request {
    is_post: bool,
    path: String,
    parameters: BTreeMap<String, String>,
    key: Option<String>,
    is_known: bool,
}

impl Request {
    pub(super) fn new(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let is_post = *method == Method::POST;
        let text = if is_post { body } else { uri.query().unwrap_or_default().as_bytes() };
        Self {
            is_post,
            path: uri.path().trim_start_matches("/v1/").to_owned(),
            parameters: form_urlencoded::parse(text).into_owned().collect(),
            key: header("idempotency-key"),
            is_known: header("authorization") == Some(format!("Bearer {SECRET_KEY}")),
        }
    }

    fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.get(name).parse().ok()
    }

    fn metadata(&self, prefix: &str) -> Metadata {
        let named = self.parameters.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(prefix)?.strip_prefix('[')?.strip_suffix(']')?;
            Some((name.to_owned(), value.clone()))
        });
        named.collect()
    }

    fn expands(&self, what: &str) -> bool {
        self.get("expand[]").contains(what)
    }
}

fn error(status: u16, kind: &str, code: &str, words: &str) -> Reply {
    (status, json!({"error": {"type": kind, "code": code, "message": words}}))
}

fn invalid(words: &str) -> Reply {
    error(400, "invalid_request_error", "parameter_invalid", words)
}

fn missing(id: &str) -> Reply {
    error(404, "invalid_request_error", "resource_missing", &format!("No such object: '{id}'"))
}

impl World {
    pub(super) fn answer(&mut self, request: &Request, fate: Fate) -> Reply {
        let broken = || error(500, "api_error", "", "Something went wrong.");
        match fate {
            Fate::TooMany => return error(429, "invalid_request_error", "rate_limit", "Too many requests."),
            Fate::FailedBefore | Fate::LostBefore => return broken(),
            _ => {}
        }
        if !request.is_known {
            return error(401, "invalid_request_error", "", "Invalid API Key provided.");
        }
        if !request.is_post {
            return self.read(request);
        }
        let Some(key) = request.key.clone() else {
            return invalid("The platform sends a key with everything.");
        };
        let asked = format!("{} {:?}", request.path, request.parameters);
        if let Some((before, reply)) = self.keys.get(&key) {
            let other = "Keys for idempotent requests can only be used with the same parameters.";
            return if *before == asked { reply.clone() } else { error(400, "idempotency_error", "", other) };
        }
        let mut reply = self.make(request);
        // What was refused at the door was not begun, and is not remembered.
        if reply.1["error"]["code"] != "parameter_invalid" {
            if fate == Fate::FailedAfter {
                reply = broken();
            }
            self.keys.insert(key, (asked, reply.clone()));
        }
        reply
    }

    fn make(&mut self, request: &Request) -> Reply {
        match request.path.as_str() {
            "checkout/sessions" => self.make_session(request),
            "payment_intents" => self.make_payment(request),
            "refunds" => self.make_refund(request),
            "transfers" => self.make_transfer(request),
            other => missing(other),
        }
    }

    fn make_session(&mut self, request: &Request) -> Reply {
        let amount = request.number("line_items[0][price_data][unit_amount]").filter(|amount| *amount > 0);
        let currency = request.get("line_items[0][price_data][currency]").to_owned();
        let Some(amount) = amount.filter(|_| request.get("mode") == "payment" && currency.len() == 3) else {
            return invalid("Invalid amount, currency or mode");
        };
        if request.get("success_url").is_empty() || request.get("line_items[0][quantity]") != "1" {
            return invalid("Missing success_url or quantity");
        }
        let payment_metadata = request.metadata("payment_intent_data[metadata]");
        let (id, created, metadata) = (self.id("cs_test"), self.now(), request.metadata("metadata"));
        let session = Session {
            id,
            created,
            amount,
            currency,
            status: "open",
            metadata,
            payment_metadata,
            payment: None,
        };
        let shown = self.shown_session(&session, false);
        self.sessions.push(session);
        (200, shown)
    }

    fn make_payment(&mut self, request: &Request) -> Reply {
        let Some(amount) = request.number("amount").filter(|amount| *amount > 0) else {
            return invalid("Invalid amount");
        };
        let customer = request.get("customer").to_owned();
        let known =
            self.customers.iter().find(|known| known.id == customer).and_then(|known| known.method.clone());
        if known.as_deref() != Some(request.get("payment_method")) || request.get("off_session") != "true" {
            return invalid("The payment method does not belong to the customer");
        }
        let (id, created, metadata) = (self.id("pi"), self.now(), request.metadata("metadata"));
        let (currency, status) = (request.get("currency").to_owned(), "requires_confirmation");
        let payment =
            Payment { id: id.clone(), created, amount, currency, customer, status, error: None, metadata };
        self.payments.push(payment);
        self.collect(&id);
        match self.payment(&id).error.clone() {
            Some(words) => error(402, "card_error", "card_declined", &words),
            None => (200, self.shown_payment(&id, false)),
        }
    }

    fn make_refund(&mut self, request: &Request) -> Reply {
        let id = request.get("payment_intent").to_owned();
        let Some(payment) = self.payments.iter().find(|payment| payment.id == id).cloned() else {
            return missing(&id);
        };
        let left = payment.amount - self.refunded(&id) - self.disputed(&id);
        let amount = request.number("amount").unwrap_or(left);
        if payment.status != "succeeded" || amount <= 0 || amount > left {
            let words =
                format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
            return error(400, "invalid_request_error", "charge_already_refunded", &words);
        }
        let (refund, metadata) = (self.id("re"), request.metadata("metadata"));
        let source = json!({"id": refund, "object": "refund", "payment_intent": id});
        self.book("refund", -amount, 0, &payment.currency, source);
        let refund = Refund { id: refund, payment: id, amount, status: "succeeded", metadata };
        let shown = Self::shown_refund(&refund);
        self.refunds.push(refund);
        self.tell("refund.created", &shown);
        (200, shown)
    }

    fn make_transfer(&mut self, request: &Request) -> Reply {
        let Some(amount) = request.number("amount").filter(|amount| *amount > 0) else {
            return invalid("Invalid amount");
        };
        if !request.get("destination").starts_with("acct_") {
            let words = format!("No such destination: '{}'", request.get("destination"));
            return error(400, "invalid_request_error", "resource_missing", &words);
        }
        if self.has_no_funds {
            let words = "You have insufficient available funds in your Stripe account.";
            return error(400, "invalid_request_error", "balance_insufficient", words);
        }
        let transfer = Transfer {
            id: self.id("tr"),
            created: self.now(),
            amount,
            currency: request.get("currency").to_owned(),
            destination: request.get("destination").to_owned(),
            group: request.get("transfer_group").to_owned(),
            metadata: request.metadata("metadata"),
            reversed: 0,
        };
        let shown = Self::shown_transfer(&transfer);
        let source = json!({"id": transfer.id, "object": "transfer"});
        self.book("transfer", -amount, 0, &transfer.currency.clone(), source);
        self.transfers.push(transfer);
        self.tell("transfer.created", &shown);
        (200, shown)
    }

    fn read(&self, request: &Request) -> Reply {
        let parts: Vec<&str> = request.path.split('/').collect();
        let found = match parts.as_slice() {
            ["payment_intents", "search"] => return page(self.searched(request), request),
            ["checkout", "sessions"] | [_] => return page(self.listed(request), request),
            ["customers", id, "payment_methods"] => {
                let customer = self.customers.iter().find(|customer| customer.id == *id);
                let methods = customer.and_then(|customer| customer.method.as_ref());
                return page(methods.into_iter().map(|id| json!({"id": id})).collect(), request);
            }
            ["checkout", "sessions", id] => {
                let session = self.sessions.iter().find(|session| session.id == *id);
                session.map(|session| self.shown_session(session, request.expands("payment_intent")))
            }
            ["payment_intents", id] => {
                let payment = self.payments.iter().find(|payment| payment.id == *id);
                payment.map(|payment| self.shown_payment(&payment.id, request.expands("latest_charge")))
            }
            ["transfers", id] => {
                self.transfers.iter().find(|transfer| transfer.id == *id).map(Self::shown_transfer)
            }
            ["customers", id] => {
                let customer = self.customers.iter().find(|customer| customer.id == *id);
                customer.map(|customer| json!({"id": customer.id, "invoice_settings": {"default_payment_method": null}}))
            }
            _ => None,
        };
        found.map_or_else(|| missing(&request.path), |object| (200, object))
    }

    /// A list, oldest first, by the filters that are asked for.
    fn listed(&self, request: &Request) -> Vec<Value> {
        let payment = request.get("payment_intent");
        let since = request.number("created[gte]").unwrap_or(i64::MIN);
        let until = request.number("created[lt]").unwrap_or(i64::MAX);
        let is_then = |created: i64| since <= created && created < until;
        match request.path.as_str() {
            "checkout/sessions" => {
                let sessions = self.sessions.iter().filter(|session| is_then(session.created));
                sessions.map(|session| self.shown_session(session, false)).collect()
            }
            "payment_intents" => {
                let customer = request.get("customer");
                let payments = self.payments.iter().filter(|payment| payment.customer == customer);
                payments
                    .map(|payment| self.shown_payment(&payment.id, request.expands("latest_charge")))
                    .collect()
            }
            "refunds" => self
                .refunds
                .iter()
                .filter(|refund| refund.payment == payment)
                .map(Self::shown_refund)
                .collect(),
            "disputes" => self
                .disputes
                .iter()
                .filter(|dispute| dispute.payment == payment)
                .map(Self::shown_dispute)
                .collect(),
            "transfers" => {
                let group = request.get("transfer_group");
                self.transfers
                    .iter()
                    .filter(|transfer| transfer.group == group)
                    .map(Self::shown_transfer)
                    .collect()
            }
            "balance_transactions" => {
                self.booked.iter().filter(|booked| is_then(booked.created)).map(Self::shown_booked).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Payments whose metadata the query names, once the search knows them.
    fn searched(&self, request: &Request) -> Vec<Value> {
        let known_until = self.now() - self.search_lag;
        let query = request.get("query");
        let wanted = |payment: &&Payment| {
            let terms = query.split(" AND ");
            payment.created <= known_until
                && terms.into_iter().all(|term| {
                    let mut named = payment.metadata.iter();
                    named.any(|(name, value)| term == format!("metadata['{name}']:'{value}'"))
                })
        };
        let found = self.payments.iter().filter(wanted);
        found.map(|payment| self.shown_payment(&payment.id, request.expands("latest_charge"))).collect()
    }
}

/// A page of a list, newest first.
fn page(mut all: Vec<Value>, request: &Request) -> Reply {
    all.reverse();
    let after = request.get("starting_after");
    if !after.is_empty() {
        let Some(place) = all.iter().position(|object| object["id"] == after) else { return missing(after) };
        all.drain(..=place);
    }
    let limit = usize::try_from(request.number("limit").unwrap_or(10)).unwrap_or_default();
    if limit == 0 || limit > 100 {
        return invalid("Limits are from 1 to 100");
    }
    let has_more = all.len() > limit;
    all.truncate(limit);
    (200, json!({"object": "list", "data": all, "has_more": has_more}))
}
