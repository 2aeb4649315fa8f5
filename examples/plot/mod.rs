//! Plots of the examples: SVG by `plotters`; text is left to the fonts of whoever looks.
//!
//! Colours differ in brightness as well as in hue, and each has its own marker, so that a plot is read in grey too.

// Every includer uses another part. All casts are of pixels and of small numbers.
#![allow(dead_code, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::error::Error;
use std::fs;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// From dark to light.
pub(crate) const COLOURS: [RGBColor; 4] = [RGBColor(32, 32, 32), RGBColor(0, 90, 140), RGBColor(213, 94, 0), RGBColor(230, 159, 0)];
/// Text, frames, whiskers.
pub(crate) const INK: RGBColor = RGBColor(32, 32, 32);
/// What is not to be looked at first.
pub(crate) const PALE: RGBColor = RGBColor(222, 226, 230);

/// What runs along a side of a plot.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    name: String,
    values: Range<f64>,
    ticks: Vec<(f64, String)>,
    logarithmic: bool,
}

impl Axis {
    /// From the round number at or below `low` to the one at or above `high`. The name says the unit.
    pub(crate) fn linear(name: &str, low: f64, high: f64) -> Self {
        let step = round_step((high - low) / 6.0);
        let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
        let ticks: Vec<_> = (first..=last).map(|tick| (tick as f64 * step, number(tick as f64 * step))).collect();
        Self { name: name.to_owned(), values: first as f64 * step..last as f64 * step, ticks, logarithmic: false }
    }

    /// From `low` to `high`, both above zero. Marks powers of ten; up to three of them also their doubles and fives.
    pub(crate) fn logarithmic(name: &str, low: f64, high: f64) -> Self {
        let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let digits: &[f64] = if high / low < 1000.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let ticks = powers.flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)));
        let ticks = ticks.filter(|tick| (low..=high).contains(tick)).map(|tick| (tick, number(tick))).collect();
        Self { name: name.to_owned(), values: low..high, ticks, logarithmic: true }
    }

    /// Only what lies between two values.
    pub(crate) fn within(mut self, low: f64, high: f64) -> Self {
        self.ticks.retain(|(tick, _)| (low..=high).contains(tick));
        Self { values: low..high, ..self }
    }

    /// Names from top to bottom, at 0, -1, -2, ...
    fn of_names(names: &[String]) -> Self {
        let ticks: Vec<_> = names.iter().enumerate().map(|(place, name)| (-(place as f64), name.clone())).collect();
        Self { name: String::new(), values: 0.5 - ticks.len() as f64..0.5, ticks, logarithmic: false }
    }

    /// Pixels that its labels take when they stand beside each other.
    fn label_px(&self) -> i32 {
        self.ticks.iter().map(|(_, label)| text_px(label, LABEL_PX)).max().unwrap_or(0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let along = |value: f64| if self.logarithmic { value.log10() } else { value };
        let (start, end) = (along(self.values.start), along(self.values.end));
        from + (f64::from(to - from) * (along(*value) - start) / (end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(tick, _)| *tick).collect()
    }

    fn range(&self) -> Range<f64> {
        self.values.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.ticks.iter().find(|(tick, _)| tick == value).map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// Writes a plot of so many pixels; a file that is there is replaced.
pub(crate) fn save(path: &Path, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Outcome) -> Outcome {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    fs::write(path, svg).map_err(|error| format!("{}: {error}", path.display()).into())
}

const TITLE_PX: i32 = 17;
const LABEL_PX: i32 = 13;

/// Text of so many pixels; `plotters` means another size of the same name by a constant factor.
pub(crate) fn text(px: i32, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", f64::from(px) * 1.24).into_font()).color(&INK).pos(Pos::new(horizontal, vertical))
}

/// A title and a line below it; what is left of the area.
pub(crate) fn headed<'a>(area: &Area<'a>, title: &str, below: &str) -> Result<Area<'a>, Box<dyn Error>> {
    area.draw(&Text::new(printable(title), (20, 14), text(TITLE_PX, HPos::Left, VPos::Top)))?;
    area.draw(&Text::new(printable(below), (20, 40), text(LABEL_PX, HPos::Left, VPos::Top)))?;
    Ok(area.margin(64, 0, 0, 0))
}

/// A frame with axes, ready to be drawn into. `right_px` are kept free on its right.
pub(crate) fn chart<'a, 'b>(area: &Area<'b>, title: &str, x: &Axis, y: &Axis, right_px: i32) -> Result<Chart<'a, 'b>, Box<dyn Error>> {
    let name_px = if y.name.is_empty() { 0 } else { LABEL_PX + 8 };
    let below_px = if x.name.is_empty() { 28 } else { 48 };
    let mut builder = ChartBuilder::on(area);
    builder.margin(10).margin_right(right_px).x_label_area_size(below_px).y_label_area_size(y.label_px() + name_px + 14);
    if !title.is_empty() {
        builder.caption(title, text(LABEL_PX + 2, HPos::Center, VPos::Top));
    }
    let mut chart: Chart<'a, 'b> = builder.build_cartesian_2d(x.clone(), y.clone())?;
    let names = text(LABEL_PX, HPos::Center, VPos::Center);
    let mut mesh = chart.configure_mesh();
    if y.name.is_empty() {
        mesh.disable_y_mesh();
    }
    mesh.bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style(names.clone())
        .axis_desc_style(names)
        .x_desc(&x.name)
        .y_desc(&y.name)
        .draw()?;
    Ok(chart)
}

/// The marker of a colour, with a rim that parts it from what it covers.
pub(crate) fn mark(chart: &Chart<'_, '_>, series: usize, at: (f64, f64)) -> Outcome {
    let area = chart.plotting_area();
    for (rim, style) in [(2, WHITE.filled()), (0, COLOURS[series % 4].filled())] {
        let (near, far) = (5 + rim, 7 + rim);
        match series % 4 {
            0 => area.draw(&(EmptyElement::at(at) + Circle::new((0, 0), near, style)))?,
            1 => area.draw(&(EmptyElement::at(at) + Rectangle::new([(-near, -near), (near, near)], style)))?,
            2 => area.draw(&(EmptyElement::at(at) + TriangleMarker::new((0, 0), far, style)))?,
            _ => area.draw(&(EmptyElement::at(at) + Polygon::new(vec![(0, -far), (far, 0), (0, far), (-far, 0)], style)))?,
        }
    }
    Ok(())
}

/// A line through points.
pub(crate) fn line(chart: &Chart<'_, '_>, points: Vec<(f64, f64)>, style: impl Into<ShapeStyle>) -> Outcome {
    Ok(chart.plotting_area().draw(&PathElement::new(points, style))?)
}

/// An interval: a line between two points of one row or column, with caps.
pub(crate) fn whisker(chart: &Chart<'_, '_>, from: (f64, f64), to: (f64, f64), style: ShapeStyle) -> Outcome {
    line(chart, vec![from, to], style)?;
    let cap = if (from.0 - to.0).abs() < f64::EPSILON { [(-5, 0), (5, 0)] } else { [(0, -5), (0, 5)] };
    for end in [from, to] {
        chart.plotting_area().draw(&(EmptyElement::at(end) + PathElement::new(cap.to_vec(), style)))?;
    }
    Ok(())
}

/// Words so many pixels from a point.
pub(crate) fn write(chart: &Chart<'_, '_>, words: &str, at: (f64, f64), offset_px: (i32, i32), style: TextStyle<'static>) -> Outcome {
    Ok(chart.plotting_area().draw(&(EmptyElement::at(at) + Text::new(printable(words), offset_px, style)))?)
}

/// A bar for each label from top to bottom, with the interval of its value. The title says the unit.
pub(crate) fn bars_with_intervals(path: &Path, title: &str, labels: &[&str], values: &[f64], lows: &[f64], highs: &[f64]) -> Outcome {
    let numbers = || values.iter().chain(lows).chain(highs).copied();
    if labels.is_empty() || [values, lows, highs].iter().any(|list| list.len() != labels.len()) || !numbers().all(f64::is_finite) {
        return Err("a bar chart needs a finite value, low and high for each of its labels".into());
    }
    let labels: Vec<_> = labels.iter().map(|label| shortened(label)).collect();
    let y = Axis::of_names(&labels);
    let (least, most) = (numbers().fold(0.0, f64::min), numbers().fold(0.0, f64::max));
    let room = (most - least).max(f64::MIN_POSITIVE) / 100.0;
    let x = Axis::linear("", least, most + room).within(if least < 0.0 { least - room } else { 0.0 }, most + room);
    let height = 110 + 34 * labels.len() as u32;
    save(path, (960, height), |area| {
        let area = headed(area, title, "bars: released values; whiskers: 95 % intervals")?;
        let words: Vec<_> = values.iter().map(|value| number(*value)).collect();
        let chart = chart(&area, "", &x, &y, 30 + words.iter().map(|words| text_px(words, LABEL_PX)).max().unwrap_or(0))?;
        for (place, (value, words)) in values.iter().zip(&words).enumerate() {
            let middle = -(place as f64);
            let bar = [(0.0, middle - 0.32), (*value, middle + 0.32)];
            chart.plotting_area().draw(&Rectangle::new(bar, RGBColor(120, 170, 205).filled()))?;
            whisker(&chart, (lows[place], middle), (highs[place], middle), INK.stroke_width(2))?;
            write(&chart, words, (highs[place].max(0.0), middle), (10, 0), text(LABEL_PX, HPos::Left, VPos::Center))?;
        }
        line(&chart, vec![(0.0, y.values.start), (0.0, y.values.end)], INK)
    })
}

/// The least of 1, 2, 5, 10, 20, ... (or 0.5, 0.2, ...) that is at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powi(least.max(f64::MIN_POSITIVE).log10().floor() as i32);
    [1.0, 2.0, 5.0].map(|digit| digit * power).into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
}

/// As people write numbers: thousands apart, no more digits after the point than say something.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1000.0 || size == 0.0 => 0,
        size => (2 - size.log10().floor() as i32).max(0) as usize,
    };
    let written = format!("{:.digits$}", value.abs());
    let (whole, part) = written.split_once('.').unwrap_or((&written, ""));
    let mut out = String::from(if value < 0.0 { "-" } else { "" });
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let part = part.trim_end_matches('0');
    if part.is_empty() { out } else { format!("{out}.{part}") }
}

/// About as wide as text is: Han characters are square, others narrower.
fn text_px(text: &str, px: i32) -> i32 {
    text.chars().map(|char| if char >= '\u{1100}' { px } else { px * 3 / 5 }).sum()
}

/// A label that leaves room for its bar.
fn shortened(label: &str) -> String {
    let label = printable(label);
    if text_px(&label, LABEL_PX) <= 300 {
        return label;
    }
    let mut short = String::new();
    for char in label.chars() {
        if text_px(&short, LABEL_PX) > 280 {
            break;
        }
        short.push(char);
    }
    short + "…"
}

/// Without control characters, which XML does not have.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}
