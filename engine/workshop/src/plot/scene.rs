//! The layout of a drawing: two panels, the total above and the price of the next unit below.
#![allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // Geometry. Every amount that is written out is formatted from its exact value.

use tollgate_core::money::format_money;

use super::Series;
use crate::columns::{cut, thousands};

/// Size of the drawing.
pub(super) const WIDTH: f32 = 1_200.0;
pub(super) const HEIGHT: f32 = 820.0;
const LEFT: f32 = 130.0;
const RIGHT: f32 = 1_160.0;
/// Tops and bottoms of the panels.
const TOTAL: (f32, f32) = (120.0, 470.0);
const NEXT: (f32, f32) = (540.0, 740.0);
/// How many ticks an axis has, about.
const TICKS: i128 = 8;
/// Cliffs and edges drawn of one curve: more would be a wall.
const MARKS_MAX: usize = 40;

/// Colours that most people can tell apart (Okabe and Ito).
pub(super) const COLOURS: [Colour; 6] = [
    Colour(0, 114, 178),
    Colour(213, 94, 0),
    Colour(0, 158, 115),
    Colour(204, 121, 167),
    Colour(230, 159, 0),
    Colour(86, 180, 233),
];
const INK: Colour = Colour(40, 40, 40);
const GREY: Colour = Colour(205, 205, 205);
const RED: Colour = Colour(200, 30, 30);

#[derive(Debug, Clone, Copy)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

/// Where a text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone)]
pub(super) enum Shape {
    Line { points: Vec<(f32, f32)>, width: f32, colour: Colour, is_dashed: bool },
    Dot { at: (f32, f32), radius: f32, colour: Colour },
    Text { at: (f32, f32), text: String, anchor: Anchor, is_title: bool, colour: Colour },
}

/// A drawing.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) shapes: Vec<Shape>,
}

pub(super) fn lay_out(series: &[Series], title: &str, currency: &str) -> Scene {
    let mut scene = Scene::default();
    let up_to = series.iter().map(|series| series.up_to).max().unwrap_or(1).max(1);
    scene.text((LEFT, 40.0), title, Anchor::Start, true, INK);
    for (place, one) in series.iter().enumerate().take(COLOURS.len()) {
        let (x, y) = (LEFT + 350.0 * (place % 3) as f32, 66.0 + 20.0 * (place / 3) as f32);
        scene.line(vec![(x, y - 4.0), (x + 24.0, y - 4.0)], 3.0, colour(place), false);
        scene.text((x + 32.0, y), &cut(&one.label, 36), Anchor::Start, false, INK);
    }
    let highest =
        series.iter().map(|series| series.total_at(series.up_to).max(peak(series))).max().unwrap_or(0);
    let panel = Panel { up_to, bottom: 0, top: highest.max(1), place: TOTAL };
    scene.axes(&panel, "total of the period", currency);
    let prices =
        || series.iter().flat_map(|series| &series.segments).filter(|segment| segment.to - segment.from > 1);
    let dearest = prices().map(super::Segment::each).max().unwrap_or(0);
    let lowest = prices().map(super::Segment::each).min().unwrap_or(0).min(0);
    // Cliffs tower above every tier; they are drawn in the upper panel, and marked in the lower one.
    let next = Panel { up_to, bottom: lowest, top: (dearest + dearest / 8).max(1), place: NEXT };
    scene.axes(&next, "price of the next unit", currency);
    let over = series.first().map(|series| series.over.to_string()).unwrap_or_default();
    scene.text(
        (f32::midpoint(LEFT, RIGHT), HEIGHT - 30.0),
        &format!("{over} used in the period"),
        Anchor::Middle,
        false,
        INK,
    );
    for (place, one) in series.iter().enumerate() {
        scene.curve(one, &panel, &next, colour(place), currency);
    }
    scene
}

fn colour(place: usize) -> Colour {
    COLOURS.get(place % COLOURS.len()).copied().unwrap_or(INK)
}

/// The highest total on the way: a volume price may lower it again.
fn peak(series: &Series) -> i128 {
    series.segments.iter().map(|segment| series.total_at(segment.to)).max().unwrap_or(0)
}

/// One of the two panels, with what its corners stand for.
struct Panel {
    up_to: u64,
    bottom: i128,
    top: i128,
    place: (f32, f32),
}

impl Panel {
    fn x(&self, units: u64) -> f32 {
        LEFT + (RIGHT - LEFT) * (units as f64 / self.up_to as f64) as f32
    }

    fn y(&self, nano: i128) -> f32 {
        let (top, bottom) = self.place;
        let part = (nano - self.bottom) as f64 / (self.top - self.bottom).max(1) as f64;
        bottom - (bottom - top) * part.clamp(0.0, 1.02) as f32
    }
}

impl Scene {
    fn line(&mut self, points: Vec<(f32, f32)>, width: f32, colour: Colour, is_dashed: bool) {
        self.shapes.push(Shape::Line { points, width, colour, is_dashed });
    }

    fn text(&mut self, at: (f32, f32), text: &str, anchor: Anchor, is_title: bool, colour: Colour) {
        self.shapes.push(Shape::Text { at, text: text.to_owned(), anchor, is_title, colour });
    }

    fn axes(&mut self, panel: &Panel, title: &str, currency: &str) {
        let (top, bottom) = panel.place;
        self.text((LEFT, top - 14.0), title, Anchor::Start, false, INK);
        let step = round_step((panel.top - panel.bottom) / TICKS);
        let mut tick = panel.bottom / step * step;
        while tick <= panel.top {
            let y = panel.y(tick);
            self.line(vec![(LEFT, y), (RIGHT, y)], 1.0, GREY, false);
            self.text((LEFT - 8.0, y + 4.0), &format_money(tick, currency), Anchor::End, false, INK);
            tick += step;
        }
        let step = round_step(i128::from(panel.up_to) / TICKS).max(1);
        let mut tick = 0;
        while tick <= i128::from(panel.up_to) {
            let units = u64::try_from(tick).unwrap_or(0);
            let x = panel.x(units);
            self.line(vec![(x, bottom), (x, bottom + 5.0)], 1.0, INK, false);
            self.text((x, bottom + 20.0), &thousands(units), Anchor::Middle, false, INK);
            tick += step;
        }
        self.line(vec![(LEFT, top), (LEFT, bottom), (RIGHT, bottom)], 1.5, INK, false);
    }

    fn curve(&mut self, series: &Series, panel: &Panel, next: &Panel, colour: Colour, currency: &str) {
        let mut totals = vec![(panel.x(0), panel.y(series.start))];
        let mut prices = Vec::new();
        let mut total = series.start;
        for segment in &series.segments {
            total += segment.price;
            totals.push((panel.x(segment.to), panel.y(total)));
            if segment.to - segment.from > 1 {
                prices.push((next.x(segment.from), next.y(segment.each())));
                prices.push((next.x(segment.to), next.y(segment.each())));
            }
        }
        for step in series.steps.iter().filter(|step| !step.is_cliff).take(MARKS_MAX) {
            for panel in [panel, next] {
                let (x, (top, bottom)) = (panel.x(step.unit - 1), panel.place);
                self.line(vec![(x, top), (x, bottom)], 1.0, colour, true);
            }
        }
        self.line(totals, 2.5, colour, false);
        self.line(prices, 2.0, colour, false);
        for (place, step) in series.steps.iter().filter(|step| step.is_cliff).take(MARKS_MAX).enumerate() {
            let at = (panel.x(step.unit), panel.y(series.total_at(step.unit)));
            self.shapes.push(Shape::Dot { at, radius: 5.0, colour: RED });
            let (x, (top, bottom)) = (next.x(step.unit), next.place);
            self.line(vec![(x, top), (x, bottom)], 1.5, RED, true);
            if place < 4 {
                let told = format!("{}: {}", super::ordinal(step.unit), format_money(step.price, currency));
                let (place, anchor) = if at.0 > f32::midpoint(LEFT, RIGHT) {
                    (at.0 - 10.0, Anchor::End)
                } else {
                    (at.0 + 10.0, Anchor::Start)
                };
                self.text((place, at.1 + 16.0), &told, anchor, false, RED);
            }
        }
    }
}

/// One, two or five times a power of ten, at least as large.
fn round_step(about: i128) -> i128 {
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            if step * factor >= about {
                return step * factor;
            }
        }
        step *= 10;
    }
}
