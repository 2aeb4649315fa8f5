//! The verb `quote`: what a question costs and how wide its intervals are, without a charge.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;
use usufruct::id::Decimal;
use usufruct::receipt::CONFIDENCE_PERCENT;

use crate::answer::number_of_confidence;
use crate::at::At;
use crate::failure::{Failure, OrFail};
use crate::output::{self, Amount, Table};
use crate::question::Question;

/// Say what a question would cost and how wide its intervals would be; charges nothing, reads no cell
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct quote space --right use.right --key holder.key --epsilon 0.2 \\
      'SELECT sex, COUNT(*) FROM adult GROUP BY sex'
And what it takes to be within 50:
  usufruct quote space --right use.right --key holder.key --epsilon 0.2 --width 50 \\
      'SELECT sex, COUNT(*) FROM adult GROUP BY sex'")]
pub(crate) struct Quote {
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    question: Question,
    /// Also say the least price at which counts and sums are this close, to both sides
    #[arg(long, value_name = "W")]
    width: Option<String>,
    /// Of this column of the answer only
    #[arg(long, value_name = "C", requires = "width")]
    column: Option<String>,
}

#[derive(Serialize)]
struct Told<'a> {
    price: Amount,
    remaining: Amount,
    groups: Option<usize>,
    steps: Vec<Step<'a>>,
    planned: bool,
    confidence: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_for_width: Option<Amount>,
    widths: Vec<Width<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    step: &'a str,
    price: Amount,
    levels: Vec<Amount>,
}

#[derive(Serialize)]
struct Width<'a> {
    column: &'a str,
    half: Option<Box<RawValue>>,
    method: &'a str,
}

impl Quote {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let request = self.question.sign()?.request;
        let gate = self.at.open()?.gate();
        let quote = gate.quote(request.bytes()).or_fail()?;
        let width = self.width.as_deref().map(Decimal::parse).transpose().or_fail()?;
        let price_for_width = width.map(|width| gate.price_for(request.bytes(), width, self.column.as_deref())).transpose().or_fail()?;
        if json {
            let widths = quote.widths.iter();
            return output::print_json(&Told {
                price: Amount::of(quote.price),
                remaining: Amount::of(quote.remaining).with_uses(quote.uses_left),
                groups: quote.groups,
                steps: quote
                    .steps
                    .iter()
                    .map(|share| Step {
                        step: &share.step,
                        price: Amount::of(share.price),
                        levels: share.levels.iter().map(|level| Amount::of(*level)).collect(),
                    })
                    .collect(),
                planned: quote.planned,
                confidence: number_of_confidence(),
                price_for_width: price_for_width.map(Amount::of),
                widths: widths
                    .map(|width| Width { column: &width.column, half: width.half.and_then(output::number), method: width.method })
                    .collect(),
            });
        }
        let mut table = Table::new(1, vec!["column".to_owned(), "half width".to_owned(), "method".to_owned()]);
        for width in &quote.widths {
            let half = width.half.map_or_else(|| "-".to_owned(), |half| half.to_string());
            table.row(vec![width.column.clone(), half, width.method.to_owned()]);
        }
        let mut steps = Table::new(1, vec!["paid for".to_owned(), "price".to_owned(), "of each level".to_owned()]);
        for share in &quote.steps {
            let levels: Vec<_> = share.levels.iter().map(ToString::to_string).collect();
            steps.row(vec![share.step.clone(), share.price.to_string(), levels.join(" + ")]);
        }
        let groups = quote.groups.map_or_else(|| "groups that the data say".to_owned(), |groups| format!("{groups} groups"));
        let planned = if quote.planned { "accounted together as one plan, so the parts add up to more than the price\n" } else { "" };
        let for_width = match (&self.width, price_for_width) {
            (Some(width), Some(price)) => format!("half widths of {width} at most take {price}\n"),
            _ => String::new(),
        };
        output::print(&format!(
            "price {} for {groups}; the right has {} and {} uses left\n\n{steps}{planned}\n{table}\nhalf widths of intervals at {CONFIDENCE_PERCENT} % confidence; nothing was charged\n{for_width}",
            quote.price, quote.remaining, quote.uses_left
        ))
    }
}
