//! How many connections each peer has: one must not take up every place.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bits of an IPv6 address by which hosts are told apart in one network. Whoever has one of its addresses
/// usually has all of them.
const HOST_BITS: u128 = u64::MAX as u128;

type Counts = Arc<Mutex<HashMap<IpAddr, u32>>>;

/// The open connections by peer.
pub struct Peers {
    /// `None`: each may have as many as there are.
    max: Option<NonZeroU32>,
    open: Counts,
}

/// A peer's place, given back when dropped.
pub struct Place(Option<(IpAddr, Counts)>);

impl Peers {
    /// Nobody has a connection yet, and each peer may have so many.
    pub fn new(max: Option<NonZeroU32>) -> Self {
        Self { max, open: Counts::default() }
    }

    /// A place for one more connection of this peer; `None` when it has as many as it may.
    pub fn admit(&self, peer: IpAddr) -> Option<Place> {
        let Some(max) = self.max else { return Some(Place(None)) };
        let peer = network(peer);
        let mut open = lock(&self.open);
        let count = open.entry(peer).or_default();
        if *count >= max.get() {
            return None;
        }
        *count += 1;
        Some(Place(Some((peer, Arc::clone(&self.open)))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((peer, open)) = self.0.take() else { return };
        if let Entry::Occupied(mut count) = lock(&open).entry(peer) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

fn lock(open: &Counts) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !HOST_BITS)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_of_a_network_and_are_given_back() {
        let peers = Peers::new(NonZeroU32::new(1));
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let place = peers.admit(address("2001:db8::1")).unwrap();
        assert!(peers.admit(address("2001:db8::2")).is_none());
        let _other = peers.admit(address("2001:db8:0:1::1")).unwrap();
        let _third = peers.admit(address("192.0.2.1")).unwrap();
        assert!(peers.admit(address("::ffff:192.0.2.1")).is_none());
        drop(place);
        assert_eq!(lock(&peers.open).len(), 2);
        assert!(peers.admit(address("2001:db8::2")).is_some());
    }
}
