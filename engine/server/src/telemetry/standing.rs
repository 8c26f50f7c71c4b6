//! How things stand at a moment, as far as it is not counted event by event.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tollgate_core::access::Key;
use tollgate_core::store::{EventCounts, StoreHealth};

type Label = [(&'static str, &'static str); 1];

/// Gauges that somebody sets now and then; see `housekeeping`.
#[derive(Debug, Default)]
pub struct Standing {
    tariffs_suspended: Gauge,
    rated: Gauge,
    held: Gauge,
    voided: Gauge,
    keys: Family<Label, Gauge>,
    imbalance: Family<[(&'static str, String); 1], Gauge>,
    ledger_checked: Gauge,
    store_writable: Gauge,
    commit_failures: Counter,
    database: Gauge,
    log: Gauge,
    failures: Family<Label, Counter>,
    memory: Gauge,
}

impl Standing {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let standing = Self::default();
        let mut add = |name, about, gauge: &Gauge| registry.register(name, about, gauge.clone());
        add("tariffs_suspended", "Tariffs whose plugins are not run for now", &standing.tariffs_suspended);
        add("stored_rated_events", "Events in the store that were charged", &standing.rated);
        add("stored_held_events", "Events in the store that wait to be charged", &standing.held);
        add("stored_voided_events", "Events in the store that were taken back", &standing.voided);
        let about = "When the ledger was last added up, in seconds since 1970";
        add("ledger_checked_timestamp_seconds", about, &standing.ledger_checked);
        add("store_writable", "Whether the last commit was kept: 1 or 0", &standing.store_writable);
        add("store_database_bytes", "What the database takes up, without its log", &standing.database);
        add("store_log_bytes", "What the database's write-ahead log takes up", &standing.log);
        let about = "Commits that the store could not keep";
        registry.register("commit_failures", about, standing.commit_failures.clone());
        let about = "Sum of all accounts, in billionths of the currency: must be 0";
        registry.register("ledger_imbalance_nano", about, standing.imbalance.clone());
        registry.register("keys", "Keys, by state", standing.keys.clone());
        let about = "Housekeeping that could not be done, by job";
        registry.register("housekeeping_failures", about, standing.failures.clone());
        let about = "What is running";
        registry.register("build", about, Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        standing
    }

    /// What any program shows, under the names that dashboards expect.
    pub(super) fn register_process(&self, process: &mut Registry) {
        let started = Gauge::<i64>::default();
        started.set(seconds_since_1970());
        let about = "When the server was started, in seconds since 1970";
        process.register("process_start_time_seconds", about, started);
        if resident_bytes().is_some() {
            process.register("process_resident_memory_bytes", "Memory in use", self.memory.clone());
        }
    }

    /// Looks at what costs nothing to look at: called whenever somebody asks.
    pub(crate) fn look(&self, tariffs_suspended: usize) {
        self.tariffs_suspended.set(number(tariffs_suspended as u64));
        if let Some(bytes) = resident_bytes() {
            self.memory.set(number(bytes));
        }
    }

    pub(crate) fn events(&self, counts: EventCounts) {
        self.rated.set(number(counts.rated));
        self.held.set(number(counts.held));
        self.voided.set(number(counts.voided));
    }

    /// The keys as of `now`, in milliseconds since 1970.
    pub(crate) fn keys(&self, keys: &[Key], now: i64) {
        let state = |key: &Key| match key.revoked_at {
            Some(_) => "revoked",
            None if key.is_valid_at(now) => "valid",
            None => "expired",
        };
        for name in ["valid", "expired", "revoked"] {
            let count = keys.iter().filter(|key| state(key) == name).count();
            self.keys.get_or_create(&[("state", name)]).set(number(count as u64));
        }
    }

    /// All accounts of a currency together.
    pub(crate) fn imbalance(&self, currency: String, nano: i128) {
        let shown = i64::try_from(nano).unwrap_or(if nano < 0 { i64::MIN } else { i64::MAX });
        self.imbalance.get_or_create(&[("currency", currency)]).set(shown);
    }

    /// How the store is doing.
    pub(crate) fn store(&self, health: &StoreHealth) {
        self.store_writable.set(i64::from(health.trouble.is_none()));
        self.database.set(number(health.database_bytes));
        self.log.set(number(health.log_bytes));
        let counted = self.commit_failures.get();
        self.commit_failures.inc_by(health.commit_failures.saturating_sub(counted));
    }

    pub(crate) fn ledger_checked(&self) {
        self.ledger_checked.set(seconds_since_1970());
    }

    pub(crate) fn housekeeping_failed(&self, job: &'static str) {
        self.failures.get_or_create(&[("job", job)]).inc();
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn seconds_since_1970() -> i64 {
    number(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// The memory that the process has in use; `None` where the system does not tell it in a file.
fn resident_bytes() -> Option<u64> {
    const KIB: u64 = 1024;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(KIB)
}
