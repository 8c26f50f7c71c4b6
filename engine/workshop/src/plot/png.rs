//! A drawing as PNG: shapes at three times the size, averaged down so that lines are smooth, and text on top in
//! a font that comes with the program.
#![allow(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss
)] // Geometry, on a canvas whose size is known.

use embedded_graphics::{
    mono_font::{MonoTextStyle, iso_8859_1::FONT_7X13, iso_8859_1::FONT_9X18_BOLD},
    pixelcolor::Rgb888,
    prelude::*,
    text::{Alignment, Text},
};

use super::{
    curve::PlotError,
    scene::{Anchor, Colour, HEIGHT, Scene, Shape, WIDTH},
};

/// How much larger shapes are drawn than they are shown.
const LARGER: u32 = 3;
/// Length of a dash, and of the gap after it.
const DASH: f32 = 4.0;

/// Pixels, three bytes each.
struct Canvas {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl Canvas {
    fn white(width: u32, height: u32) -> Self {
        let length = usize::try_from(u64::from(width) * u64::from(height) * 3).unwrap_or(0);
        Self { width, height, bytes: vec![255; length] }
    }

    /// Fills what lies within a radius of a line, given in the scene's own measures.
    fn fill_near(&mut self, from: Place, to: Place, radius: f32, Colour(red, green, blue): Colour) {
        let larger = LARGER as f32;
        let [ax, ay, bx, by, radius] = [from.0, from.1, to.0, to.1, radius].map(|length| length * larger);
        let (dx, dy) = (bx - ax, by - ay);
        let square = (dx * dx + dy * dy).max(f32::MIN_POSITIVE);
        let rows = (ay.min(by) - radius).max(0.0) as u32..=(ay.max(by) + radius).max(0.0) as u32;
        let columns = (ax.min(bx) - radius).max(0.0) as u32..=(ax.max(bx) + radius).max(0.0) as u32;
        for y in rows.filter(|y| *y < self.height) {
            for x in columns.clone().filter(|x| *x < self.width) {
                let (px, py) = (x as f32 + 0.5 - ax, y as f32 + 0.5 - ay);
                let along = ((px * dx + py * dy) / square).clamp(0.0, 1.0);
                if (px - along * dx).hypot(py - along * dy) <= radius {
                    let at = (y as usize * self.width as usize + x as usize) * 3;
                    if let Some(bytes) = self.bytes.get_mut(at..at + 3) {
                        bytes.copy_from_slice(&[red, green, blue]);
                    }
                }
            }
        }
    }

    /// Averages squares of pixels.
    fn smaller(&self, times: u32) -> Self {
        let mut small = Self::white(self.width / times, self.height / times);
        let (wide, narrow) = (self.width as usize * 3, small.width as usize * 3);
        for (y, row) in small.bytes.chunks_mut(narrow.max(1)).enumerate() {
            for (x, byte) in row.iter_mut().enumerate() {
                let (column, channel) = (x / 3, x % 3);
                let mut sum = 0_u32;
                for dy in 0..times as usize {
                    for dx in 0..times as usize {
                        let at =
                            (y * times as usize + dy) * wide + (column * times as usize + dx) * 3 + channel;
                        sum += self.bytes.get(at).copied().map_or(255, u32::from);
                    }
                }
                *byte = u8::try_from(sum / (times * times)).unwrap_or(255);
            }
        }
        small
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = std::convert::Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Self::Error> {
        for Pixel(point, colour) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(point.x), u32::try_from(point.y)) else { continue };
            if x < self.width && y < self.height {
                let at = (y as usize * self.width as usize + x as usize) * 3;
                if let Some(bytes) = self.bytes.get_mut(at..at + 3) {
                    bytes.copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
                }
            }
        }
        Ok(())
    }
}

pub(super) fn write(scene: &Scene) -> Result<Vec<u8>, PlotError> {
    let (width, height) = (WIDTH as u32, HEIGHT as u32);
    let mut large = Canvas::white(width * LARGER, height * LARGER);
    for shape in &scene.shapes {
        draw_shape(shape, &mut large);
    }
    let mut canvas = large.smaller(LARGER);
    for shape in &scene.shapes {
        draw_text(shape, &mut canvas);
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&canvas.bytes));
    written.map_err(|error| PlotError::Png(error.to_string()))?;
    Ok(file)
}

fn rgb(Colour(red, green, blue): Colour) -> Rgb888 {
    Rgb888::new(red, green, blue)
}

fn point((x, y): Place) -> Point {
    Point::new(x as i32, y as i32)
}

fn draw_shape(shape: &Shape, canvas: &mut Canvas) {
    match shape {
        Shape::Line { points, width, colour, is_dashed } => {
            for pair in points.windows(2) {
                let [from, to] = pair else { continue };
                let pieces = if *is_dashed { dashes(*from, *to) } else { vec![(*from, *to)] };
                for (from, to) in pieces {
                    canvas.fill_near(from, to, width / 2.0, *colour);
                }
            }
        }
        Shape::Dot { at, radius, colour } => canvas.fill_near(*at, *at, *radius, *colour),
        Shape::Text { .. } => {}
    }
}

type Place = (f32, f32);

fn dashes(from: Place, to: Place) -> Vec<(Place, Place)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let at = |along: f32| (from.0 + dx * along / length, from.1 + dy * along / length);
    let mut pieces = Vec::new();
    let mut along = 0.0;
    while along < length {
        pieces.push((at(along), at((along + DASH).min(length))));
        along += 2.0 * DASH;
    }
    pieces
}

fn draw_text(shape: &Shape, canvas: &mut Canvas) {
    let Shape::Text { at, text, anchor, is_title, colour } = shape else { return };
    let font = if *is_title { &FONT_9X18_BOLD } else { &FONT_7X13 };
    let alignment = match anchor {
        Anchor::Start => Alignment::Left,
        Anchor::Middle => Alignment::Center,
        Anchor::End => Alignment::Right,
    };
    let style = MonoTextStyle::new(font, rgb(*colour));
    let _ = Text::with_alignment(text, point(*at), style, alignment).draw(canvas);
}
