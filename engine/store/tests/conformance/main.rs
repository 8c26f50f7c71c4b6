//! One suite for every store: whatever implements `Store` must pass it unchanged.
//!
//! To let another store join, give it a `Fixture` and a line in `conformance!`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // all of it is test code

mod bookkeeping;
mod conditions;
mod events;
mod power_loss;
mod sample;
mod sqlite_file;

use std::sync::Arc;

use tempfile::TempDir;
use tollgate_core::store::Store;
use tollgate_store::{MemoryStore, Options, SqliteStore};

/// Two handles on one empty store, as two processes would have them.
struct Fixture {
    store: Arc<dyn Store>,
    other: Arc<dyn Store>,
    _directory: Option<TempDir>,
}

impl Fixture {
    fn memory() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        Self { other: Arc::clone(&store), store, _directory: None }
    }

    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let open = || -> Arc<dyn Store> {
            Arc::new(SqliteStore::open(&directory.path().join("tollgate.db"), &Options::default()).unwrap())
        };
        Self { store: open(), other: open(), _directory: Some(directory) }
    }
}

macro_rules! conformance {
    ($($store:ident)*) => { $(
        mod $store {
            use crate::{Fixture, bookkeeping, conditions, events};

            conformance!(@ $store events: every_field_comes_back definitions_keep_their_order
                plugins_keep_their_bytes events_are_found_by_app_and_id scans_go_page_by_page
                a_held_event_is_released_once);
            conformance!(@ $store conditions: a_stored_event_is_refused an_id_twice_in_a_commit_is_refused
                a_stale_counter_is_refused_whole a_counted_key_is_refused
                a_stale_commit_leaves_its_neighbours_alone what_follows_a_refused_commit_is_stale_too
                only_what_is_held_is_released a_closed_period_stays_closed
                another_app_or_month_stays_open writers_lose_no_step writers_store_an_event_once);
            conformance!(@ $store bookkeeping: statements_add_up_and_are_sorted statements_are_filtered
                balances_add_up_and_are_sorted usage_is_sorted_and_filtered
                closing_charges_keep_their_order sums_that_do_not_fit_fail an_empty_commit_changes_nothing);
        }
    )* };
    (@ $store:ident $module:ident: $($test:ident)*) => { $(
        #[test]
        fn $test() {
            $module::$test(&Fixture::$store());
        }
    )* };
}

conformance!(memory sqlite);
