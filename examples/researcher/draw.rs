//! The two plots.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::notebook::Course;
use crate::plot::{Axis, COLOURS, INK, Outcome, PALE, chart, headed, line, mark, save, text, whisker, write};
use crate::runs::Errors;

/// Below this an error is not drawn: of a hundred answers hardly one is off at all.
const ERROR_LEAST: f64 = 0.02;

/// How far off values are, by epsilon.
pub(crate) fn errors(path: &Path, all: &[Errors; 3]) -> Outcome {
    save(path, (1000, 640), |area| {
        let below =
            "markers: mean of 100 answers, whiskers: two standard errors; lines: theory; a whole year is the least a median can be off";
        let area = headed(area, "Distance from the truth against epsilon", below)?;
        let most = all.iter().flat_map(|errors| &errors.points).map(|point| point.mean.max(point.theory)).fold(1.0, f64::max);
        let x = Axis::logarithmic("epsilon of the question", 0.008, 2.5);
        let y = Axis::logarithmic("distance from the truth, in people or years", ERROR_LEAST, most * 1.5);
        let chart = chart(&area, "", &x, &y, 190)?;
        for (place, errors) in all.iter().enumerate() {
            let shown = |value: f64| value >= ERROR_LEAST;
            let theory = errors.points.iter().map(|point| (point.epsilon, point.theory)).filter(|point| shown(point.1));
            let theory: Vec<_> = theory.collect();
            let last = theory.last().copied();
            line(&chart, theory, COLOURS[place].stroke_width(2))?;
            for point in errors.points.iter().filter(|point| shown(point.mean)) {
                let (low, high) = ((point.mean - point.slack).max(ERROR_LEAST), point.mean + point.slack);
                whisker(&chart, (point.epsilon, low), (point.epsilon, high), COLOURS[place].stroke_width(2))?;
                mark(&chart, place, (point.epsilon, point.mean))?;
            }
            if let Some(last) = last {
                write(&chart, &errors.name, last, (16, 0), text(13, HPos::Left, VPos::Center))?;
            }
        }
        Ok(())
    })
}

/// What was spent and what was left after each question: of the right on the left, of the dataset on the right.
pub(crate) fn budget(path: &Path, course: &Course) -> Outcome {
    save(path, (1000, 520), |area| {
        let below = "line and dark area: spent; light area: left; cross: refused, nothing charged; a colleague asks two of the questions";
        let area = headed(area, "The budget, question by question", below)?;
        let questions = course.steps.len() as f64;
        let x = Axis::linear("question", 0.0, questions);
        let y = Axis::linear("epsilon", 0.0, course.right.max(course.dataset));
        let sides = [
            ("the researcher's right", course.right, course.steps.iter().map(|step| step.right).collect::<Vec<_>>()),
            ("the dataset", course.dataset, course.steps.iter().map(|step| step.dataset).collect()),
        ];
        for (area, (title, limit, spent)) in area.split_evenly((1, 2)).iter().zip(sides) {
            let chart = chart(area, title, &x, &y, 20)?;
            let plot = chart.plotting_area();
            plot.draw(&Rectangle::new([(0.0, 0.0), (questions, limit)], PALE.filled()))?;
            let mut before = 0.0;
            let mut steps = vec![(0.0, 0.0)];
            for ((place, spent), step) in (1_u32..).zip(&spent).zip(&course.steps) {
                let (from, to) = (f64::from(place - 1), f64::from(place));
                plot.draw(&Rectangle::new([(from, 0.0), (to, *spent)], RGBColor(120, 170, 205).filled()))?;
                steps.extend([(from, before), (from, *spent), (to, *spent)]);
                before = *spent;
                if step.refused {
                    let at = (f64::midpoint(from, to), *spent);
                    for arm in [[(-6, -6), (6, 6)], [(-6, 6), (6, -6)]] {
                        plot.draw(&(EmptyElement::at(at) + PathElement::new(arm.to_vec(), COLOURS[2].stroke_width(3))))?;
                    }
                }
            }
            line(&chart, steps, COLOURS[1].stroke_width(3))?;
            line(&chart, vec![(0.0, limit), (questions, limit)], INK.stroke_width(2))?;
        }
        Ok(())
    })
}
