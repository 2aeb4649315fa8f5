//! The verb `inspect`: any file of ours field by field, as claimed and unverified.

use std::path::PathBuf;

use clap::Args;
use usufruct::anonymity::Uniqueness;
use usufruct::dataset::{Card, Column, Contribution, Description, NewVersion, Publication, Refill, Unit, Values};
use usufruct::desensitise::{Manifest, ManifestColumn, Nature, OutputFile, Risk};
use usufruct::envelope::{Artefact as Signable, Untrusted};
use usufruct::holder::Remembered;
use usufruct::id::{Decimal, Digest};
use usufruct::key::Signer as _;
use usufruct::ledger::{Charge, Checkpoint, Entry, Event, GateCertificate, Seal};
use usufruct::receipt::{Answer, Bundle, Receipt};
use usufruct::right::{Block, Request, Right};
use zeroize::Zeroizing;

use crate::artefact::{Artefact, Claim};
use crate::failure::Failure;
use crate::report::Report;
use crate::script::flagged;
use crate::{answer, desensitise, file, kept, output};

/// Explain a file of ours field by field: key, right, request, receipt, answer, card, refill, checkpoint, seen checkpoints, manifest
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct inspect use.right

What is shown is what the file claims: `usufruct verify` checks signatures. Of a private key only its id is shown.")]
pub(crate) struct Inspect {
    /// The file, `-` for stdin
    file: PathBuf,
}

impl Inspect {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let bytes = Zeroizing::new(file::read_or_stdin(&self.file, Artefact::BYTES_MAX)?);
        let artefact = Artefact::recognise(&bytes).ok_or_else(|| {
            Failure::input(format_args!("{}: not an artefact of ours, or a damaged one", self.file.display())).hint(
                "expected a key, right, request, receipt, answer, dataset card, refill, certificate, checkpoint, file of seen checkpoints, manifest or its opening",
            )
        })?;
        let mut report = Report::default();
        report.text("kind", artefact.kind());
        explain(&artefact, &mut report);
        if json {
            return output::print_json(&report);
        }
        let mut text = report.to_text();
        if let Artefact::Answer(answer) = &artefact {
            text.push_str(&format!("\n{}", answer::table(answer)));
        }
        if let Artefact::Bundle(bundle) = &artefact
            && let Ok(answer) = Answer::decode(&bundle.answer)
        {
            text.push_str(&format!("\n{}", answer::table(&answer)));
        }
        output::print(&text)
    }
}

const CLAIMED: &str = "claims only; `usufruct verify` checks the signatures";

fn explain(artefact: &Artefact, out: &mut Report) {
    match artefact {
        Artefact::PrivateKey(key) => {
            out.text("key id", key.public().id()).text("note", "keep it secret; `usufruct key public` prints the public half");
        }
        Artefact::PublicKey(key) => {
            out.text("key id", key.id()).text("algorithm", "Ed25519");
        }
        Artefact::Checkpoint(note) => checkpoint(note, out.text("status", "a claim; `usufruct audit --checkpoint` holds a space to it")),
        Artefact::Seen(lines) => seen(lines, out.text("status", "claims only; `usufruct verify` checks the signatures")),
        Artefact::Right(chain, block) => right(chain, block, out.text("status", CLAIMED)),
        Artefact::Request(claim) => {
            signed(claim, out);
            request(&claim.value, out.text("request id", claim.untrusted.digest()));
        }
        Artefact::Bundle(bundle) => self::bundle(bundle, out.text("status", CLAIMED)),
        Artefact::Receipt(receipt) => self::receipt(receipt, out.text("status", CLAIMED)),
        Artefact::Answer(answer) => self::answer_fields(answer, out.text("status", "unsigned; a receipt says whether it was sealed")),
        Artefact::Card(claim) => {
            signed(claim, out);
            let Card { dataset, ledger, description, gate_certificate } = &claim.value;
            out.text("dataset id", dataset).text("ledger", ledger);
            certificate(gate_certificate, out);
            self::description(description, out);
        }
        Artefact::Publication(claim) => {
            signed(claim, out);
            let Publication { ledger, description, snapshot } = &claim.value;
            out.text("dataset id", claim.untrusted.digest()).text("ledger", ledger);
            out.text("snapshot commitment", Digest::from_bytes(*snapshot.as_bytes()));
            self::description(description, out);
        }
        Artefact::NewVersion(claim) => {
            signed(claim, out);
            let NewVersion { dataset, number, snapshot } = &claim.value;
            out.text("dataset id", dataset).number("version", *number);
            out.text("snapshot commitment", Digest::from_bytes(*snapshot.as_bytes()));
        }
        Artefact::Refill(claim) => {
            signed(claim, out);
            let Refill { dataset, number, amount, reason } = &claim.value;
            out.text("dataset id", dataset).number("number", *number).text("amount", amount).text("reason", reason.name());
        }
        Artefact::Certificate(claim) => {
            signed(claim, out);
            gate(&claim.value, out);
        }
        Artefact::Manifest(claim) => {
            signed(claim, out);
            manifest(&claim.value, out);
        }
        Artefact::UnsignedManifest(value) => manifest(value, out.text("status", "unsigned: anyone can have written it")),
        Artefact::SourceOpening(opening) => {
            out.text("status", "keep it secret: it opens the manifest's commitment to the source");
            out.text("source SHA-256", opening.digest).number("rows read", opening.rows_read);
            out.number("rows written", opening.rows_written).number("rows left out", opening.rows_left_out);
        }
        Artefact::Keys(keys) => {
            out.text("note", "keep it secret: who has it can try values until a pseudonym fits");
            out.list(
                "keys",
                keys.keys().map(|key| {
                    format!(
                        "{} version {}, {}, purpose {}",
                        flagged(key.id().as_str()),
                        key.version(),
                        key.algorithm().as_str(),
                        flagged(key.purpose().as_str())
                    )
                }),
            );
        }
    }
}

fn manifest(value: &Manifest, out: &mut Report) {
    out.text("release", value.release).text("order of rows", value.order).text("made", value.made).text("by", &value.software);
    let OutputFile { digest, bytes, format } = &value.output;
    out.text("file SHA-256", digest).number("file bytes", *bytes).text("file format", format);
    if let Some(rows) = value.rows {
        out.number("rows", rows);
    }
    match &value.risk {
        Some(Risk::NotAssessed) => drop(out.text("risk", "not assessed")),
        Some(Risk::Uniqueness(stated)) => drop(out.section("unique", uniqueness(stated))),
        _ => {}
    }
    out.text("policy", value.policy()).text("commitment to the source", Digest::from_bytes(*value.source.as_bytes()));
    let mut columns = Report::default();
    for column in &value.columns {
        columns.section(&flagged(column.name.as_str()), manifest_column(column));
    }
    out.section("columns", columns);
}

fn uniqueness(stated: &Uniqueness) -> Report {
    let Uniqueness { subject, all, columns, gaps, most, because, .. } = stated;
    let mut out = Report::default();
    out.text(
        "counted are",
        subject.as_ref().map_or_else(|| "records".to_owned(), |subject| format!("subjects, by {}", flagged(subject.as_str()))),
    );
    out.text("on all columns", all);
    out.list("on one", columns.iter().map(|column| format!("{}: {}", flagged(column.column.as_str()), column.share)));
    out.list(
        "on two",
        stated.each_pair().map(|(one, other, share)| format!("{}, {}: {share}", flagged(one.as_str()), flagged(other.as_str()))),
    );
    for gaps in gaps {
        let names: Vec<String> = gaps.columns.iter().map(|gap| flagged(gap.column.as_str())).collect();
        out.text("by gaps between dates", format_args!("{}: {}", names.join(", "), gaps.share));
    }
    out.text("allowed by the policy", most);
    if let Some(why) = because {
        out.text("because", flagged(why));
    }
    out
}

fn manifest_column(column: &ManifestColumn) -> Report {
    let mut out = Report::default();
    let parameters: Vec<String> = column.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let technique = [column.technique.to_string(), parameters.join(", ")].join(" ");
    out.text("technique", technique.trim_end()).text("kind", flagged(column.kind.as_str()));
    if !column.leaves {
        out.text("leaves", "no");
    }
    if let Some(key) = &column.key {
        out.text("key", format_args!("{} version {}, {}", flagged(key.id.as_str()), key.version, key.algorithm));
    }
    out.text("grade", format_args!("{} to {}", column.grade_before.number(), column.grade_after.number()));
    out.text("residual", desensitise::residual(column));
    let Nature { deterministic, reversible, linkable } = column.nature;
    let natures = [(deterministic, "deterministic"), (reversible, "reversible"), (linkable, "linkable")];
    out.text("nature", natures.iter().filter(|nature| nature.0).map(|nature| nature.1).collect::<Vec<_>>().join(", "));
    if !column.leaks.is_empty() {
        out.list("leaks", &column.leaks);
    }
    if let Some(why) = &column.not_personal {
        out.text("not personal", flagged(why));
    }
    if let Some(why) = &column.not_known {
        out.text("not known outside", flagged(why));
    }
    out
}

fn signed<T: Signable>(claim: &Claim<T>, out: &mut Report) {
    out.text("status", CLAIMED);
    if let Some(signer) = claim.untrusted.claimed_signer() {
        out.text("signed by key", signer);
    }
}

fn right(chain: &Right, block: &Block, out: &mut Report) {
    let Block { ledger, dataset, name, schema, holder, terms, issued_at, nonce } = block;
    out.text("right id", chain.id()).number("blocks", chain.blocks() as u64);
    out.text("dataset", flagged(name.as_str())).text("dataset id", dataset).text("ledger", ledger).text("schema", schema);
    out.text("holder key", holder.id());
    out.text("kind of use", terms.kind.name());
    out.list("operations", &terms.operations);
    out.list("columns", terms.columns.iter().map(|column| flagged(column.as_str())));
    out.list("purposes", terms.purposes.iter().map(|purpose| flagged(purpose.as_str())));
    out.text("budget", terms.budget).number("uses", terms.uses);
    out.text("issued at", issued_at);
    if let Some(not_before) = terms.not_before {
        out.text("not before", not_before);
    }
    out.text("not after", terms.not_after);
    match terms.delegation {
        0 => out.text("delegation", "none"),
        depth => out.number("delegation", depth),
    };
    out.text("nonce", nonce);
}

fn request(value: &Request, out: &mut Report) {
    let Request { audience, dataset, schema, right: chain, query, price, purpose, nonce, issued_at, expires_at, seen } = value;
    out.text("query", flagged(&query.to_string())).text("price", price).text("purpose", flagged(purpose.as_str()));
    out.list("operations", query.operations()).list("columns", query.columns());
    out.text("ledger", audience).text("dataset id", dataset).text("schema", schema);
    out.text("issued at", issued_at).text("expires at", expires_at).text("nonce", nonce);
    match seen {
        Some(seen) => out.text("last seen", format_args!("checkpoint of size {}, root {}", seen.size, seen.root)),
        None => out.text("last seen", "no checkpoint"),
    };
    let mut section = Report::default();
    match Right::decode(chain).and_then(|chain| chain.claimed().map(|block| (chain, block))) {
        Ok((chain, block)) => right(&chain, &block, &mut section),
        Err(error) => {
            section.text("problem", error);
        }
    }
    out.section("right", section);
}

fn bundle(value: &Bundle, out: &mut Report) {
    let mut section = Report::default();
    receipt(&value.receipt, &mut section);
    out.section("receipt", section);
    let mut section = Report::default();
    match Untrusted::<Request>::decode(&value.request).and_then(|untrusted| Ok((untrusted.digest(), untrusted.claimed()?))) {
        Ok((id, asked)) => request(&asked, section.text("request id", id)),
        Err(error) => {
            section.text("problem", error);
        }
    }
    out.section("request", section);
    let mut section = Report::default();
    match Answer::decode(&value.answer) {
        Ok(answer) => answer_fields(&answer, section.text("digest", Digest::of(&value.answer))),
        Err(error) => {
            section.text("problem", error);
        }
    }
    out.section("answer", section);
}

fn receipt(value: &Receipt, out: &mut Report) {
    let Receipt { certificate: gate_certificate, entry: leaf, index, inclusion, consistency, checkpoint: note } = value;
    certificate(gate_certificate, out);
    let mut section = Report::default();
    section.number("index", *index);
    entry(leaf, &mut section);
    out.section("entry", section);
    out.text("inclusion path", format_args!("{} hashes", inclusion.len()));
    out.text("consistency path", format_args!("{} hashes", consistency.len()));
    let mut section = Report::default();
    match Checkpoint::claimed(note) {
        Ok(note) => checkpoint(&note, &mut section),
        Err(error) => {
            section.text("problem", error);
        }
    }
    out.section("checkpoint", section);
}

fn entry(leaf: &[u8], out: &mut Report) {
    match Entry::decode(leaf) {
        Ok(Entry { time, event }) => {
            out.text("time", time).text("event", event.name());
            if let Event::Seal(Seal { request, reserved, reserved_at, answer, charges }) = event {
                out.text("request id", request).text("answer digest", answer);
                out.number("reserved in entry", reserved).text("reserved at", reserved_at);
                out.list("charges", charges.iter().map(charge));
            }
        }
        Err(error) => {
            out.text("problem", error);
        }
    }
}

fn charge(charge: &Charge) -> String {
    let Charge { account, amount, previous, new } = charge;
    format!("account {account}: {} and {} uses spent, before {}, after {}", amount.loss, amount.uses, previous.loss, new.loss)
}

fn answer_fields(value: &Answer, out: &mut Report) {
    out.text("request id", value.request).text("dataset id", value.dataset).text("version id", value.version);
    out.list("columns", value.columns.iter().map(|column| flagged(column.as_str())));
    out.number("rows", value.rows.len() as u64).text("spent", value.spent);
    out.text("right has left", format_args!("{}, {} uses", value.remaining, value.uses_left));
    out.number("quantum ms", value.quantum_ms).text("promise", &value.promise);
    if !value.grids.is_empty() {
        out.list("grids", value.grids.iter().map(|grid| grid.map_or_else(|| "finer".to_owned(), |grid| grid.to_string())));
    }
    if value.cut {
        out.text("cut", "named groups were left out, the answer was full");
    }
}

fn checkpoint(note: &Checkpoint, out: &mut Report) {
    out.text("origin", note.origin()).number("size", note.size()).text("root", Digest::from_bytes(*note.root()));
}

fn seen(lines: &[Remembered], out: &mut Report) {
    for (number, line) in (1..).zip(lines) {
        let mut section = Report::default();
        section.text("ledger", line.ledger()).number("size", line.seen().size).text("root", line.seen().root);
        match line.signed() {
            Some((gate_certificate, note)) => {
                certificate(gate_certificate, &mut section);
                section.list("note", note.lines());
            }
            None => {
                section.text("signed", "no; kept by an earlier version");
            }
        }
        out.section(&format!("line {number}"), section);
    }
    let contradictions =
        kept::contradictions(lines).map(|(one, _)| format!("two roots of the first {} entries of {}", one.seen().size, one.ledger()));
    let contradictions: Vec<String> = contradictions.collect();
    if !contradictions.is_empty() {
        out.list("contradictions", contradictions);
    }
}

fn certificate(bytes: &[u8], out: &mut Report) {
    let mut section = Report::default();
    match Untrusted::<GateCertificate>::decode(bytes).and_then(|untrusted| Ok((untrusted.claimed_signer(), untrusted.claimed()?))) {
        Ok((signer, certificate)) => {
            if let Some(signer) = signer {
                section.text("signed by key", signer);
            }
            gate(&certificate, &mut section);
        }
        Err(error) => {
            section.text("problem", error);
        }
    }
    out.section("gate certificate", section);
}

fn gate(value: &GateCertificate, out: &mut Report) {
    let GateCertificate { ledger, gate, not_before, not_after, number } = value;
    out.text("ledger", ledger).text("gate key", gate.id()).text("not before", not_before).text("not after", not_after);
    out.text("number", number);
}

fn description(value: &Description, out: &mut Report) {
    let schema = value.schema();
    out.text("name", flagged(value.name().as_str())).text("title", flagged(value.title())).text("budget", value.budget());
    match schema.unit() {
        Unit::Row => out.text("unit", "row"),
        Unit::Column(column) => out.text("unit", format_args!("column {}", flagged(column.as_str()))),
    };
    if let Some(delta) = value.report_delta() {
        out.text("report delta", delta);
    }
    if let Unit::Column(_) = schema.unit() {
        let Contribution { groups_per_unit, rows_per_group, .. } = schema.contribution();
        let rows = schema.contribution().rows();
        out.text("contribution", format_args!("{groups_per_unit} groups of {rows_per_group} rows each, {rows} rows in all, of one unit"));
    }
    if schema.least_units() > 1 {
        out.number("reveal least units", schema.least_units().into());
    }
    out.text("promise", value.promise());
    if let Some(quantum_ms) = value.legacy_quantum_ms() {
        out.number("quantum ms", quantum_ms.into());
    }
    if let Some(source) = value.public_source() {
        out.text("public source", source);
    }
    out.text("schema", schema.hash());
    let columns = schema.columns().iter();
    out.list("columns", columns.map(|column| format!("{}: {}", flagged(column.name.as_str()), self::column(column))));
}

fn column(column: &Column) -> String {
    let mut out = column.kind.name().to_owned();
    let step = column.kind.step().map(usufruct::dataset::GridStep::decimal);
    if let Some((bounds, step)) = column.bounds.zip(step) {
        let number = |steps: i64| {
            Decimal::new(i128::from(steps) * step.mantissa(), step.scale()).map_or_else(String::new, |number| number.to_string())
        };
        out.push_str(&format!(" from {} to {}", number(bounds.low), number(bounds.high)));
        if step.to_string() != "1" {
            out.push_str(&format!(" in steps of {step}"));
        }
    }
    match &column.values {
        Some(Values::Text(values)) => out.push_str(&format!(", values {}", brief(values.iter().map(|value| format!("{value:?}"))))),
        Some(Values::Integer(values)) => out.push_str(&format!(", values {}", brief(values.iter().map(ToString::to_string)))),
        None => {}
    }
    if let Some(other) = &column.other {
        out.push_str(&format!(", others as {other}"));
    }
    if column.nullable {
        out.push_str(", may be null");
    }
    let uses: Vec<&str> = column.uses.iter().map(usufruct::dataset::Use::name).collect();
    let uses = if uses.is_empty() { "no use".to_owned() } else { format!("use {}", uses.join(" ")) };
    format!("{out}, grade {}, {uses}", column.grade.number())
}

/// The first values of a list that may be long.
fn brief(values: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 16;
    let more = values.len().saturating_sub(SHOWN);
    let shown: Vec<String> = values.take(SHOWN).collect();
    if more == 0 { shown.join(" ") } else { format!("{} and {more} more", shown.join(" ")) }
}
