//! Notices come back in the order in which things happened, without a gap.

use tollgate_core::store::{Commit, Notice, NoticeKind};

use crate::Fixture;
use crate::sample::{self, commit, notice};

pub fn notices_are_numbered_without_gaps(fixture: &Fixture) {
    let all: Vec<Notice> = NoticeKind::ALL.map(|kind| Notice { kind, ..notice(-7) }).to_vec();
    for (number, notice) in all.iter().enumerate() {
        let store = if number % 2 == 0 { &fixture.store } else { &fixture.other };
        let told = Commit { notices: vec![notice.clone()], ..Commit::default() };
        let expects = vec![(sample::wallet("nobody"), 1)];
        assert!(commit(&**store, Commit { expects, ..told.clone() }).is_err());
        commit(&**store, told).unwrap();
    }
    let mut more = sample::one_event("a", sample::held("no price"));
    more.notices = vec![notice(i64::MIN), notice(i64::MAX)];
    commit(&*fixture.store, more.clone()).unwrap();
    let expected: Vec<_> = (1..).zip(all.into_iter().chain(more.notices)).collect();
    assert_eq!(fixture.other.notices(0, 100), Ok(expected));
}

pub fn notices_go_page_by_page(fixture: &Fixture) {
    assert_eq!(fixture.other.notices(0, 9), Ok(Vec::new()));
    let notices: Vec<Notice> = (1..=9).map(notice).collect();
    commit(&*fixture.store, Commit { notices, ..Commit::default() }).unwrap();
    let moments = |after, limit| -> Vec<i64> {
        let page = fixture.other.notices(after, limit).unwrap();
        assert!((after + 1..).zip(&page).all(|(expected, (number, _))| *number == expected));
        page.into_iter().map(|(_, notice)| notice.at).collect()
    };
    assert_eq!(moments(0, 4), [1, 2, 3, 4]);
    assert_eq!(moments(4, 4), [5, 6, 7, 8]);
    assert_eq!(moments(8, usize::MAX), [9]);
    assert_eq!(moments(9, 4), [0; 0]);
    assert_eq!(moments(0, 0), [0; 0]);
    assert_eq!(fixture.other.notices(u64::MAX, 9), Ok(Vec::new()));
}
