//! One suite for every store: whatever implements `Store` must pass it unchanged.
//!
//! To let another store join, give it a `Fixture` and a line in `conformance!`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // all of it is test code

mod access;
mod backup;
mod bookkeeping;
mod conditions;
mod entries;
mod events;
mod histories;
mod migration;
mod notices;
mod power_loss;
mod records;
mod sample;
mod sqlite_file;
mod voids;

use std::sync::Arc;

use tempfile::TempDir;
use tollgate_core::access::AccessStore;
use tollgate_core::store::Store;
use tollgate_store::{MemoryStore, Options, SqliteStore};

/// Two handles on one empty store, as two processes would have them.
struct Fixture {
    store: Arc<dyn Store>,
    other: Arc<dyn Store>,
    access: Arc<dyn AccessStore>,
    other_access: Arc<dyn AccessStore>,
    _directory: Option<TempDir>,
}

impl Fixture {
    fn memory() -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::of(Arc::clone(&store), store, None)
    }

    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tollgate.db");
        let open = || Arc::new(SqliteStore::open(&path, &Options::default()).unwrap());
        Self::of(open(), open(), Some(directory))
    }

    fn of<S: Store + AccessStore + 'static>(one: Arc<S>, other: Arc<S>, directory: Option<TempDir>) -> Self {
        Self {
            store: Arc::<S>::clone(&one),
            other: Arc::<S>::clone(&other),
            access: one,
            other_access: other,
            _directory: directory,
        }
    }
}

macro_rules! conformance {
    ($($store:ident)*) => { $(
        mod $store {
            use crate::{
                Fixture, access, bookkeeping, conditions, entries, events, histories, notices, records, voids,
            };

            conformance!(@ $store events: every_field_comes_back definitions_keep_their_order
                plugins_keep_their_bytes events_are_found_by_app_and_id scans_go_page_by_page
                a_held_event_is_released_once held_events_are_listed_by_app what_events_became_is_told_by_key);
            conformance!(@ $store conditions: a_stored_event_is_refused an_id_twice_in_a_commit_is_refused
                a_stale_counter_is_refused_whole a_counted_key_is_refused a_commit_is_refused_whole
                a_stale_commit_leaves_its_neighbours_alone what_follows_a_refused_commit_is_stale_too
                only_what_is_held_is_released a_closed_period_stays_closed
                another_app_or_month_stays_open writers_lose_no_step writers_store_an_event_once);
            conformance!(@ $store voids: a_charged_event_is_taken_back a_held_event_is_taken_back
                a_released_event_is_taken_back a_void_must_fit_its_event an_event_is_taken_back_once
                a_void_and_a_release_exclude_each_other a_refused_void_leaves_nothing
                a_void_of_a_closed_period_is_refused writers_take_an_event_back_once
                a_key_stops_being_counted_once a_key_may_go_and_come_in_one_commit
                a_refused_key_leaves_nothing);
            conformance!(@ $store histories: a_history_is_by_period_then_by_acceptance
                a_history_goes_page_by_page a_release_moves_an_event a_history_is_one_customers_alone
                a_history_keeps_what_was_taken_back late_reversals_are_found_by_their_own_period
                late_reversals_go_page_by_page late_reversals_are_one_customers_alone);
            conformance!(@ $store access: keys_come_back_oldest_first a_key_is_added_once
                a_key_stays_revoked_from_the_first_moment uses_only_move_on answers_come_back
                the_first_answer_stays old_answers_are_forgotten);
            conformance!(@ $store bookkeeping: statements_add_up_and_are_sorted statements_are_filtered
                balances_add_up_and_are_sorted usage_is_sorted_and_filtered
                closing_charges_keep_their_order closing_charges_are_filtered sums_that_do_not_fit_fail
                an_empty_commit_changes_nothing pending_sums_go_up_and_down
                every_owner_has_accounts_of_its_own);
            conformance!(@ $store entries: every_kind_of_entry_comes_back an_entry_is_posted_once
                entries_go_page_by_page entries_are_listed_by_owner);
            conformance!(@ $store records: a_record_moves_on_step_by_step a_change_from_another_version_is_stale
                a_record_changes_once_in_a_commit expectations_are_of_the_state_before
                records_are_listed_by_owner_and_id records_are_listed_page_by_page
                records_are_listed_by_when_they_are_due writers_change_a_record_one_by_one);
            conformance!(@ $store notices: notices_are_numbered_without_gaps notices_go_page_by_page);
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
