//! The two plots.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::notebook::Course;
use crate::plot::{Axis, COLOURS, INK, Outcome, PALE, chart, headed, line, mark, number, save, text, whisker, write};
use crate::runs::{ANSWERS, Errors, Point};

const SPENT: RGBColor = RGBColor(120, 170, 205);
/// Below this an error is not drawn: of a hundred answers hardly one is off at all.
const ERROR_LEAST: f64 = 0.02;

/// How far off values are, by epsilon.
pub(crate) fn errors(path: &Path, all: &[Errors; 3]) -> Outcome {
    save(path, (1000, 640), |area| {
        let people = all.first().map_or("", |errors| errors.people.as_str());
        let below = format!(
            "asked of {people} people; markers: mean of {ANSWERS} answers, whiskers: two standard errors; lines: theory; a median is off by whole years"
        );
        let area = headed(area, "Distance from the truth against epsilon", &below)?;
        let most = all.iter().flat_map(|errors| &errors.points).map(|point| point.mean.max(point.theory)).fold(1.0, f64::max);
        let x = Axis::logarithmic("epsilon of the question", 0.008, 2.5);
        let y = Axis::logarithmic("distance from the truth, in people or years", ERROR_LEAST, most * 1.5);
        let chart = chart(&area, "", &x, &y, 190)?;
        for (place, errors) in all.iter().enumerate() {
            let (theory, last) = shown(&errors.points);
            line(&chart, theory, COLOURS[place].stroke_width(2))?;
            for point in errors.points.iter().filter(|point| point.mean >= ERROR_LEAST) {
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

/// Epsilon and distance.
type Place = (f64, f64);

/// The line of theory down to the lower end of the plot, and its last point within.
fn shown(points: &[Point]) -> (Vec<Place>, Option<Place>) {
    let count = points.iter().take_while(|point| point.theory >= ERROR_LEAST).count();
    let mut theory: Vec<_> = points.iter().take(count).map(|point| (point.epsilon, point.theory)).collect();
    let last = theory.last().copied();
    if let (Some((epsilon, value)), Some(next)) = (last, points.get(count)) {
        // Where the straight line to the next point leaves the plot; both axes are logarithmic.
        let part = (value / ERROR_LEAST).ln() / (value / next.theory).ln();
        theory.push((epsilon * (next.epsilon / epsilon).powf(part), ERROR_LEAST));
    }
    (theory, last)
}

/// What was spent and what was left after each question: of the right on the left, of the dataset on the right.
pub(crate) fn budget(path: &Path, course: &Course) -> Outcome {
    save(path, (1000, 520), |area| {
        let below = "cross: refused, nothing charged; diamond: a colleague's question, which the dataset pays and the right does not";
        let area = headed(area, "The budget, question by question", below)?;
        let end = course.steps.len() as f64 + 0.5;
        let x = Axis::linear("question", 0.0, end).within(0.5, end);
        let y = Axis::linear("epsilon", 0.0, course.right.max(course.dataset) * 1.1).within(0.0, course.dataset * 1.1);
        let sides = [
            ("the researcher's right", course.right, course.steps.iter().map(|step| step.right).collect::<Vec<_>>()),
            ("the dataset", course.dataset, course.steps.iter().map(|step| step.dataset).collect()),
        ];
        for (side, (area, (title, limit, spent))) in area.split_evenly((1, 2)).iter().zip(sides).enumerate() {
            let chart = chart(area, title, &x, &y, 20)?;
            let plot = chart.plotting_area();
            plot.draw(&Rectangle::new([(0.5, 0.0), (end, limit)], PALE.filled()))?;
            let mut before = 0.0;
            let mut steps = vec![(0.5, 0.0)];
            for (question, spent) in (1_u32..).zip(&spent) {
                let (from, to) = (f64::from(question) - 0.5, f64::from(question) + 0.5);
                plot.draw(&Rectangle::new([(from, 0.0), (to, *spent)], SPENT.filled()))?;
                steps.extend([(from, before), (from, *spent), (to, *spent)]);
                before = *spent;
            }
            line(&chart, steps, COLOURS[1].stroke_width(3))?;
            line(&chart, vec![(0.5, limit), (end, limit)], INK.stroke_width(2))?;
            for ((question, spent), step) in (1_u32..).zip(&spent).zip(&course.steps) {
                if step.colleague {
                    mark(&chart, 3, (question.into(), course.dataset * 0.04))?;
                }
                // The right has nothing to do with what a colleague is refused.
                if step.refused && (side == 1 || !step.colleague) {
                    for arm in [[(-6, -6), (6, 6)], [(-6, 6), (6, -6)]] {
                        let at = EmptyElement::at((question.into(), *spent));
                        plot.draw(&(at + PathElement::new(arm.to_vec(), COLOURS[2].stroke_width(3))))?;
                    }
                }
            }
            write(&chart, &format!("limit: epsilon {}", number(limit)), (0.5, limit), (8, -14), text(13, HPos::Left, VPos::Center))?;
            write(&chart, "left", (0.5, limit * 0.8), (14, 0), text(13, HPos::Left, VPos::Center))?;
            write(&chart, "spent", (end, limit * 0.3), (-14, 0), text(13, HPos::Right, VPos::Center))?;
        }
        Ok(())
    })
}
