//! The two plots.

use std::path::Path;

use plotters::coord::ranged1d::Ranged as _;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::plot::{Axis, COLOURS, INK, Outcome, chart, headed, line, mark, number, save, text, whisker, write};
use crate::runs::{Errors, RUN_EPSILON, RUNS, Series, Widths};

/// Bars stand at multiples of 2/21, so that bars end at 0 +- 1/21 and at the two ends of an interval, -1 and 1.
const BARS_PER_UNIT: f64 = 10.5;
/// Those beyond stand at the last bar.
const LAST_BAR: f64 = 26.0;

/// How far off the values were, by what their intervals promised: one histogram for each series.
pub(crate) fn errors(path: &Path, series: &[Series; 4], errors: &[Errors; 4]) -> Outcome {
    save(path, (1000, 760), |area| {
        let below = format!(
            "{} runs at epsilon {RUN_EPSILON}; shaded: the interval holds the truth, as promised for 95 % of runs; outermost bars: all beyond",
            number(RUNS as f64)
        );
        let area = headed(area, "True error against the promised interval", &below)?;
        let x = Axis::linear("true error / half-width of the interval", -2.5, 2.5);
        for (place, area) in area.split_evenly((2, 2)).iter().enumerate() {
            let (series, errors) = (&series[place], &errors[place]);
            let bars = bars(&errors.ratios);
            let y = Axis::linear("runs", 0.0, bars.iter().map(|(_, runs)| *runs).fold(1.0, f64::max));
            let top = y.range().end;
            let chart = chart(area, &format!("{} of {} people", series.aggregate.name(), series.people()), &x, &y, 20)?;
            chart.plotting_area().draw(&Rectangle::new([(-1.0, 0.0), (1.0, top)], RGBColor(232, 235, 238).filled()))?;
            for (middle, runs) in bars {
                let bar = [(middle - 0.42 / BARS_PER_UNIT, 0.0), (middle + 0.42 / BARS_PER_UNIT, runs)];
                chart.plotting_area().draw(&Rectangle::new(bar, COLOURS[place].filled()))?;
            }
            for end in [-1.0, 1.0] {
                line(&chart, vec![(end, 0.0), (end, top)], INK.stroke_width(2))?;
            }
            line(&chart, vec![(x.range().start, 0.0), (x.range().end, 0.0)], INK)?;
            let inside = 100.0 * errors.hits as f64 / RUNS as f64;
            let mut notes = vec![format!("{inside:.1} % inside")];
            if errors.cut > 0 {
                notes.push(format!("{} cut to a bound", errors.cut));
            }
            if errors.ratios.len() < RUNS {
                notes.push(format!("{} no value", RUNS - errors.ratios.len()));
            }
            for (note, down) in notes.iter().zip([10, 30, 50]) {
                write(&chart, note, (1.0, top), (10, down), text(13, HPos::Left, VPos::Top))?;
            }
        }
        Ok(())
    })
}

/// The middles of bars, and how many errors stand at each. Errors of 1 stand inside.
fn bars(ratios: &[f64]) -> Vec<(f64, f64)> {
    let bar = |ratio: &f64| ((ratio.abs() * BARS_PER_UNIT - 0.5).ceil().clamp(0.0, LAST_BAR)).copysign(*ratio);
    let mut places: Vec<_> = ratios.iter().map(bar).collect();
    places.sort_by(f64::total_cmp);
    let equal = places.chunk_by(|a, b| a == b);
    equal.map(|equal| (equal[0] / BARS_PER_UNIT, equal.len() as f64)).collect()
}

/// What an epsilon buys.
pub(crate) fn widths(path: &Path, series: &[Series; 4], widths: &[Vec<Widths>; 4]) -> Outcome {
    save(path, (1000, 680), |area| {
        let below = "markers: medians of 25 answers; whiskers: the middle 21 of them; lines: theory of continuous noise";
        let area = headed(area, "Width of the 95 % interval against epsilon", below)?;
        let all = || widths.iter().flatten();
        let least = all().map(|width| width.most[0].min(width.theory)).fold(f64::INFINITY, f64::min);
        let most = all().map(|width| width.most[1].max(width.theory)).fold(0.0, f64::max);
        let x = Axis::logarithmic("epsilon of the request", 0.008, 2.5);
        let y = Axis::logarithmic("width of the interval, in people or years", least * 0.7, most * 1.4);
        let chart = chart(&area, "", &x, &y, 240)?;
        for (place, (series, widths)) in series.iter().zip(widths).enumerate() {
            let theory = widths.iter().map(|width| (width.epsilon, width.theory));
            line(&chart, theory.collect(), COLOURS[place].stroke_width(2))?;
            for width in widths {
                let [low, high] = width.most.map(|end| (width.epsilon, end));
                mark(&chart, place, (width.epsilon, width.median))?;
                whisker(&chart, low, high, COLOURS[place].stroke_width(2))?;
            }
            if let Some(last) = widths.last() {
                let words = format!("{} of {}, in {}", series.aggregate.name(), series.people(), series.aggregate.unit());
                write(&chart, &words, (last.epsilon, last.median), (22, 0), text(13, HPos::Left, VPos::Center))?;
            }
        }
        Ok(())
    })
}
