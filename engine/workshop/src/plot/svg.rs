//! A drawing as SVG.

use std::fmt::Write as _;

use super::scene::{Anchor, Colour, HEIGHT, Scene, Shape, WIDTH};

pub(super) fn write(scene: &Scene) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"#fff\"/>\n"
    );
    for shape in &scene.shapes {
        let _ = match shape {
            Shape::Line { points, width, colour, is_dashed } => {
                let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                let dashes = if *is_dashed { " stroke-dasharray=\"4 4\"" } else { "" };
                writeln!(
                    text,
                    "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"{dashes}/>",
                    points.join(" "),
                    hexadecimal(*colour)
                )
            }
            Shape::Dot { at: (x, y), radius, colour } => {
                let colour = hexadecimal(*colour);
                writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{colour}\"/>")
            }
            Shape::Text { at: (x, y), text: words, anchor, is_title, colour } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let size = if *is_title { " font-size=\"20\" font-weight=\"600\"" } else { "" };
                let (colour, words) = (hexadecimal(*colour), escaped(words));
                writeln!(
                    text,
                    "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\"{size}>{words}</text>"
                )
            }
        };
    }
    text.push_str("</svg>\n");
    text
}

fn hexadecimal(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
