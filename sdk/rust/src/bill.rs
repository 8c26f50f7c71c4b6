//! Where a plugin writes what an event costs.

use crate::{Decimal, Fault, LineCode, Outcome, RefusalCode, native, usage::quantity_shortened};

/// One row of what a customer is charged.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Which of the plugin's lines.
    pub code: LineCode,
    /// How many of the line's unit; zero or more, with at most twelve digits after the point.
    pub quantity: Decimal,
    /// The price of one unit where there is a single one, else zero. Shown, never computed with.
    pub unit_price: Decimal,
    /// What is charged, in units of the currency. The host rounds it half to even to nine places.
    pub amount: Decimal,
}

/// The lines and refusals of the event at hand.
pub struct Bill {
    rated: native::Rated,
}

impl Bill {
    pub(crate) fn for_frame(frame: &native::Frame, lines_expected: usize) -> Self {
        let rows = frame.rows as usize;
        Self {
            rated: native::Rated {
                counts: Vec::with_capacity(rows),
                lines: Vec::with_capacity(lines_expected),
                quantities: Vec::with_capacity(2 * lines_expected),
                unit_prices: Vec::with_capacity(2 * lines_expected),
                amounts: Vec::with_capacity(2 * lines_expected),
                ..native::Rated::default()
            },
        }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the quantity is negative or has more than twelve digits after the point.
    #[inline]
    pub fn add(&mut self, line: Line) -> Outcome {
        let quantity = if line.quantity.is_negative() || line.quantity.scale() > 12 {
            quantity_shortened(line.quantity)?
        } else {
            line.quantity
        };
        self.rated.lines.push(line.code.position);
        self.rated.quantities.extend_from_slice(&quantity.to_words());
        self.rated.unit_prices.extend_from_slice(&line.unit_price.to_words());
        self.rated.amounts.extend_from_slice(&line.amount.to_words());
        Ok(())
    }

    /// Says that the event should not run. It matters when an event is quoted or authorised in advance; one
    /// that happened all the same is charged its lines. The detail is what the customer reads beside the
    /// refusal's title, and may be empty.
    pub fn refuse(&mut self, code: RefusalCode, detail: impl Into<String>) {
        let event = native::count(self.rated.counts.len());
        self.rated.refusals.push(native::Refusal { event, code: code.position, detail: detail.into() });
    }

    pub(crate) fn lines(&self) -> usize {
        self.rated.lines.len()
    }

    /// Ends an event: keeps its lines, or drops them and records the fault.
    #[inline]
    pub(crate) fn end_event(&mut self, event: u32, lines_before: usize, outcome: Outcome) {
        if let Err(fault) = outcome {
            self.drop_event(event, lines_before, fault);
        }
        self.rated.counts.push(native::count(self.lines() - lines_before));
    }

    #[cold]
    fn drop_event(&mut self, event: u32, lines_before: usize, fault: Fault) {
        self.rated.lines.truncate(lines_before);
        self.rated.quantities.truncate(2 * lines_before);
        self.rated.unit_prices.truncate(2 * lines_before);
        self.rated.amounts.truncate(2 * lines_before);
        self.rated.refusals.retain(|refusal| refusal.event != event);
        self.rated.faults.push(native::EventFault { event, message: fault.into_message() });
    }

    pub(crate) fn finish(self) -> native::Rated {
        self.rated
    }
}
