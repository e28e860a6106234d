//! Fuel: its prices, the account of an evaluation, and a store's lease of it.

use std::cell::Cell;

use wasmi::CustomFuelCosts;
#[cfg(not(all(feature = "core", target_family = "wasm")))]
use wasmi::OperatorCost;

/// The number of bytes that one unit of fuel pays for when memory is copied, filled, searched or grown. wasmi charges
/// guests this price, and this crate charges it for the same work done by the host.
pub(crate) const BYTES_PER_FUEL: u64 = 64;

/// Sets wasmi's prices. They are wasmi's defaults, but spelled out because what a script spends is part of this crate's
/// behaviour: a new version of wasmi must not change it unnoticed.
pub(crate) fn set_costs(config: &mut wasmi::Config) {
    config.fuel_cost(CustomFuelCosts {
        bytes_copied_per_fuel: BYTES_PER_FUEL as u32,
        // Charged only for lazy compilation, which this crate does not use.
        fuel_per_bytes_translated: 7,
        fuel_per_bytes_validated: 2,
    });
    // The core does not compile: its host does, at these prices.
    #[cfg(not(all(feature = "core", target_family = "wasm")))]
    config.operator_cost(operator_costs());
}

/// Every operator costs one unit, except those that produce no code.
#[cfg(not(all(feature = "core", target_family = "wasm")))]
fn operator_costs() -> OperatorCost {
    OperatorCost {
        nop: 0,
        drop: 0,
        block: 0,
        loop_: 0,
        else_: 0,
        end: 0,
        unreachable: 0,
        return_: 0,
        ..OperatorCost::default()
    }
}

/// The fuel of an evaluation and the files that it loads.
#[derive(Debug, Clone)]
pub(crate) struct FuelAccount {
    limit: Option<u64>,
    left: u64,
    /// Fuel that is left, but not for the call that is running.
    aside: u64,
    /// The fuel used before the account was last refilled.
    before: u64,
}

impl FuelAccount {
    /// Opens an account; `None` if fuel is not metered.
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self { limit, left: limit.unwrap_or(u64::MAX), aside: 0, before: 0 }
    }

    /// Returns the fuel left as of the last settlement.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Returns the fuel used as of the last settlement; `None` if fuel is not metered.
    pub(crate) fn used(&self) -> Option<u64> {
        self.limit.map(|limit| self.before.saturating_add(limit.saturating_sub(self.left).saturating_sub(self.aside)))
    }

    /// Fills the account up to its limit.
    pub(crate) fn refill(&mut self) {
        *self = Self { before: self.used().unwrap_or_default(), ..Self::new(self.limit) };
    }

    /// Sets aside all but `fuel`. Returns whether there was more.
    pub(crate) fn set_aside(&mut self, fuel: u64) -> bool {
        self.aside = self.left.saturating_sub(fuel);
        self.left = self.left.min(fuel);
        self.aside > 0
    }

    /// Returns what was set aside to the account.
    pub(crate) fn put_back(&mut self) {
        self.left = self.left.saturating_add(std::mem::take(&mut self.aside));
    }

    /// Takes `fuel` out of the account.
    pub(crate) fn spend(&mut self, fuel: u64) {
        self.left = self.left.saturating_sub(fuel);
    }
}

/// A store's lease of the account's fuel: wasmi counts down from a grant as the store uses it.
#[derive(Debug)]
pub(crate) struct FuelLease {
    /// What the store may still use as of the last settlement; `None` for all of the account.
    own: Cell<Option<u64>>,
    /// The value of wasmi's counter as of the last settlement.
    counter: Cell<u64>,
}

impl FuelLease {
    pub(crate) fn new(own: Option<u64>) -> Self {
        Self { own: Cell::new(own), counter: Cell::new(0) }
    }

    /// Returns how much the store may use of an account that has `left`.
    pub(crate) fn left(&self, left: u64) -> u64 {
        self.own.get().map_or(left, |own| own.min(left))
    }

    /// Begins or renews the lease, and returns the grant to which wasmi's counter must be set.
    pub(crate) fn grant(&self, left: u64) -> u64 {
        let grant = self.left(left);
        self.counter.set(grant);
        grant
    }

    /// Settles the lease at a value of wasmi's counter, and returns what was used since the last time.
    pub(crate) fn settle(&self, counter: u64) -> u64 {
        let used = self.counter.replace(counter).saturating_sub(counter);
        self.own.set(self.own.get().map(|own| own.saturating_sub(used)));
        used
    }

    /// Sets how much the store may use from now on.
    pub(crate) fn set_own(&self, own: u64) {
        self.own.set(Some(own));
    }

    /// Returns whether the store's own share runs out before the account, which has `left`.
    pub(crate) fn is_own_limit(&self, left: u64) -> bool {
        self.own.get().is_some_and(|own| own < left)
    }
}

#[cfg(all(test, not(all(feature = "core", target_family = "wasm"))))]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    /// wasmi can list its operators only through the text of the table.
    #[test]
    fn operators_cost_one_unit_or_none() {
        let text = format!("{:?}", operator_costs());
        let fields = text.trim_start_matches("OperatorCost { ").trim_end_matches(" }");
        let costs: Vec<(&str, &str)> = fields.split(", ").map(|field| field.split_once(": ").unwrap()).collect();
        assert!(costs.len() > 400, "{text}");
        let mut free = Vec::new();
        for (operator, cost) in costs {
            match cost {
                "0" => free.push(operator),
                "1" => {}
                _ => panic!("{operator} costs {cost}"),
            }
        }
        free.sort_unstable();
        assert_eq!(free, ["block", "drop", "else_", "end", "loop_", "nop", "return_", "unreachable"]);
    }

    #[test]
    fn a_lease_is_within_the_account() {
        let mut account = FuelAccount::new(Some(100));
        let lease = FuelLease::new(Some(30));
        assert_eq!(lease.grant(account.left()), 30);
        account.spend(lease.settle(10));
        assert_eq!((account.used(), lease.left(account.left())), (Some(20), 10));
        assert!(lease.is_own_limit(account.left()));
        // Settling again at the same value uses nothing more.
        account.spend(lease.settle(10));
        assert_eq!(account.used(), Some(20));
        account.spend(75);
        assert_eq!(lease.grant(account.left()), 5);
        assert!(!lease.is_own_limit(account.left()));
        let all = FuelLease::new(None);
        assert_eq!(all.grant(account.left()), 5);
        assert!(!all.is_own_limit(account.left()));
        assert_eq!(FuelAccount::new(None).used(), None);
    }
}
