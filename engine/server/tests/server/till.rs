//! A payment provider that does what a test tells it, and a house with money over a real store.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_core::money::Amount;
use tollgate_core::payment::{
    Intent, Method, Nudge, PaymentProvider, ProviderError, RefundIntent, Reported, Seen, SeenDispute,
    SeenState, SeenTransfer, Started, TransferIntent,
};
use tollgate_server::config::Config;
use tollgate_store::{Options, SqliteStore};

use crate::fixture::{APP, Answer};
use crate::pages::House;

/// What the till shows of a payment.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    pub is_paid: bool,
    pub refunded: Amount,
    pub disputes: Vec<SeenDispute>,
}

/// Everything that was asked of the till, and what it shows.
#[derive(Debug, Default)]
pub struct Till {
    payments: Mutex<BTreeMap<String, Shown>>,
    /// By key: what was sent, and whether it has arrived.
    transfers: Mutex<BTreeMap<String, (Amount, Option<bool>)>>,
    /// The keys of those that were made.
    refunds: Mutex<BTreeSet<String>>,
    is_away: Mutex<bool>,
}

impl Till {
    /// Changes what is shown of a payment of the app.
    pub fn show(&self, id: &str, change: impl FnOnce(&mut Shown)) {
        let key = json!([APP, id]).to_string();
        change(self.payments.lock().unwrap().get_mut(&key).expect("it was asked for"));
    }

    pub fn arrive(&self, has_arrived: bool) {
        self.transfers.lock().unwrap().values_mut().for_each(|(_, arrived)| *arrived = Some(has_arrived));
    }

    pub fn sent(&self) -> Vec<Amount> {
        self.transfers.lock().unwrap().values().map(|(amount, _)| *amount).collect()
    }

    /// From now on it answers nobody, or again.
    pub fn go(&self, away: bool) {
        *self.is_away.lock().unwrap() = away;
    }

    fn answers(&self) -> Result<(), ProviderError> {
        if *self.is_away.lock().unwrap() {
            return Err(ProviderError::Unavailable("gone for lunch".to_owned()));
        }
        Ok(())
    }
}

impl PaymentProvider for Till {
    fn name(&self) -> &'static str {
        "till"
    }

    fn start(&self, intent: &Intent) -> Result<Started, ProviderError> {
        self.answers()?;
        self.payments.lock().unwrap().entry(intent.key.clone()).or_default();
        let is_checkout = matches!(intent.method, Method::Checkout { .. });
        let url = is_checkout.then(|| format!("https://till.example/{}", intent.id));
        Ok(Started { reference: format!("ref-{}", intent.id), url })
    }

    fn look_up(&self, intent: &Intent, _: Option<&str>) -> Result<Option<Seen>, ProviderError> {
        self.answers()?;
        let shown = self.payments.lock().unwrap().get(&intent.key).cloned();
        Ok(shown.map(|shown| Seen {
            reference: format!("ref-{}", intent.id),
            url: None,
            payer: shown.is_paid.then(|| "cus_1".to_owned()),
            state: if shown.is_paid { SeenState::Succeeded } else { SeenState::Pending },
            refunded: shown.refunded,
            disputes: shown.disputes,
        }))
    }

    fn refund(&self, refund: &RefundIntent) -> Result<(), ProviderError> {
        self.answers()?;
        if self.refunds.lock().unwrap().insert(refund.key.clone()) {
            self.show(refund.reference.trim_start_matches("ref-"), |shown| {
                shown.refunded = shown.refunded.checked_add(refund.amount).unwrap();
            });
        }
        Ok(())
    }

    fn transfer(&self, transfer: &TransferIntent) -> Result<SeenTransfer, ProviderError> {
        self.answers()?;
        let mut transfers = self.transfers.lock().unwrap();
        let (_, arrived) = transfers.entry(transfer.key.clone()).or_insert((transfer.amount, None));
        Ok(SeenTransfer { reference: "tr-1".to_owned(), arrived: *arrived })
    }

    fn look_up_transfer(&self, transfer: &TransferIntent) -> Result<Option<SeenTransfer>, ProviderError> {
        self.answers()?;
        let transfers = self.transfers.lock().unwrap();
        let found = transfers.get(&transfer.key);
        Ok(found.map(|(_, arrived)| SeenTransfer { reference: "tr-1".to_owned(), arrived: *arrived }))
    }

    fn read_message(&self, signature: &str, body: &[u8], _: i64) -> Result<Nudge, ProviderError> {
        if signature != "signed" {
            return Err(ProviderError::Forged("its signature is another".to_owned()));
        }
        let body: Value =
            serde_json::from_slice(body).map_err(|error| ProviderError::Refused(error.to_string()))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let payment = text(&body["payment"]).map(|id| (APP.to_owned(), id));
        Ok(Nudge { message: "m".to_owned(), payment, transfer: text(&body["transfer"]) })
    }

    fn report(&self, _: i64, _: i64) -> Result<Vec<Reported>, ProviderError> {
        Err(ProviderError::Unsupported("the till keeps no books".to_owned()))
    }
}

/// A house with a till, over a real store.
pub struct Bank {
    pub house: House,
    pub till: Arc<Till>,
    _directory: TempDir,
}

impl Deref for Bank {
    type Target = House;

    fn deref(&self) -> &House {
        &self.house
    }
}

/// The wallet of the customer `legal`.
pub const WALLET: &str = "/v1/customers/legal/wallet";

impl Bank {
    pub async fn open() -> Self {
        let (directory, till) = (TempDir::new().unwrap(), Arc::new(Till::default()));
        let store = SqliteStore::open(&directory.path().join("tollgate.db"), &Options::default()).unwrap();
        let providers = vec![Arc::clone(&till) as Arc<dyn PaymentProvider>];
        let config = Config { money_interval: Duration::from_millis(20), ..Config::default() };
        let compose = |server: tollgate_server::server::Server| {
            server.pay_through(providers).print_remittances(Arc::new(|_, key, payout| {
                Ok(format!("<p>{} gets {} {}</p>", key.builder, payout.amount, key.currency))
            }))
        };
        let house = House::over(Arc::new(store), config, compose).await;
        Self { house, till, _directory: directory }
    }

    /// A prepaid wallet of `legal` with so much credit.
    pub async fn prepaid(&self, amount: &str) {
        self.expect(&self.acme, &format!("PUT {WALLET}"), &json!({"credit_limit": "0"}), 200).await;
        let grant = json!({"id": "welcome", "amount": amount, "funder": "builder",
            "effective_at": "2024-01-01T00:00:00Z"});
        self.expect(&self.acme, &format!("POST {WALLET}/grants"), &grant, 201).await;
    }

    /// A message to the till's address.
    pub async fn message(&self, signature: &str, body: &Value) -> Answer {
        let head = format!(
            "POST /v1/providers/till/webhook HTTP/1.1\r\ncontent-type: application/json\r\ntill-signature: {signature}"
        );
        self.running.ask(&head, body.to_string().as_bytes()).await
    }

    /// Reads until what is read is as it should be: the clock does the rest.
    pub async fn wait(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let told = self.read(&self.platform, path).await;
            if is_so(&told) {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} never came to be so: {}", self.read(&self.platform, path).await);
    }

    /// The sum of all accounts.
    pub async fn imbalance(&self) -> i128 {
        let balances = self.running.backend.call(|engine| engine.store().balances());
        balances.await.unwrap().into_iter().map(|(_, balance)| balance.net().unwrap()).sum()
    }
}
