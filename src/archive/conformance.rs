//! What every [`Archive`] must do, as tests that an archive written elsewhere runs too.

use std::io::Write as _;

use super::{Archive, ArchiveError, Opening, OpeningName, OpeningPart};
use crate::id::{AccountId, Digest, Name, RequestId, Salt, Time};

/// Checks an empty archive. `reopen` gives it as the next process finds it.
///
/// # Panics
/// It does not keep a promise of [`Archive`].
pub fn check<A: Archive>(archive: A, reopen: impl Fn(A) -> A) {
    let openings: Vec<(OpeningName, Opening)> = (1..=3).map(opening).collect();
    for (name, opening) in &openings {
        assert!(archive.opening(name).is_err(), "what is not there is not read");
        archive.put_opening(name, &opening.encode()).expect("an opening is kept");
        archive.put_opening(name, &opening.encode()).expect("and the same again");
    }
    let other = openings[1].1.encode();
    assert!(matches!(archive.put_opening(&openings[0].0, &other), Err(ArchiveError::OpeningExists { .. })), "never replaced");
    let (refused, bytes) = opening(4);
    archive.put_opening(&refused, &bytes.encode()).expect("an opening is kept");
    archive.remove_opening(&refused);
    assert!(archive.opening(&refused).is_err(), "a fresh opening is removed");
    let request = RequestId::from_bytes([1; 32]);
    assert_eq!(archive.request(request).expect("no error"), None);
    archive.put_request(request, b"signed").expect("a request is kept");
    archive.put_request(request, b"other").expect("the first stays");
    let answers: Vec<Vec<u8>> = [0usize, 1, 500, 70_000].iter().map(|length| vec![7; *length]).collect();
    let together: Vec<(Digest, &[u8])> = answers.iter().map(|answer| (Digest::of(answer), answer.as_slice())).collect();
    archive.put_answers(&together[..1], Time::from_unix_s(60)).expect("one answer is kept");
    archive.put_answers(&together[1..], Time::from_unix_s(120)).expect("and others together");
    let name = Name::new("a/b").expect("a name");
    let card = archive.put_card(&name, b"card").expect("a card is kept");
    assert_eq!(card, archive.card(&name));
    assert_eq!(std::fs::read(card).expect("it lies there"), b"card");
    let (kept, left) = (Salt::from_bytes([3; 32]), Salt::from_bytes([4; 32]));
    for salt in [&kept, &left] {
        let mut output = archive.begin_snapshot(salt).expect("a snapshot is begun");
        output.write_all(b"data").expect("and written");
        assert!(!archive.snapshot(salt).exists(), "nothing is there before it is whole");
        output.commit().expect("and committed");
    }

    let (refused, unwanted) = opening(9);
    archive.put_opening(&refused, &unwanted.encode()).expect("an opening is kept");
    archive.remove_opening(&refused);
    assert!(archive.opening(&refused).is_err(), "what was refused goes");

    archive.keep(&openings[0].0, Some(&kept));
    assert!(archive.snapshot(&kept).exists());
    archive.remove_opening(&openings[0].0);
    assert!(archive.opening(&openings[0].0).is_ok(), "only a fresh one is removed");

    let archive = reopen(archive);
    // The ledger needs the second, whose entry became durable just before the end; it does not know the first, being an older one.
    archive.settle(std::slice::from_ref(&openings[1].0), &[]).expect("it is put in order");
    for (name, opening) in &openings[..2] {
        assert_eq!(archive.opening(name).expect("an opening stays").as_slice(), opening.encode().as_slice());
    }
    assert!(archive.opening(&openings[2].0).is_err(), "what is fresh and nothing stands for goes");
    assert!(archive.snapshot(&kept).exists() && !archive.snapshot(&left).exists());
    assert_eq!(archive.request(request).expect("no error").as_deref(), Some(&b"signed"[..]));
    for answer in &answers {
        assert_eq!(archive.answer(&Digest::of(answer)).expect("no error").as_ref(), Some(answer));
    }
    assert_eq!(archive.answer(&Digest::of(b"none")).expect("no error"), None);
    let later: Vec<u8> = b"later".to_vec();
    archive.put_answers(&[(Digest::of(&later), &later)], Time::from_unix_s(180)).expect("it goes on");
    assert_eq!(archive.answer(&Digest::of(&later)).expect("no error"), Some(later));
    archive.remove_opening(&openings[0].0);
    archive.remove_snapshot(&kept);
    assert!(archive.opening(&openings[0].0).is_ok() && archive.snapshot(&kept).exists(), "only a fresh one is removed");
}

fn opening(number: u8) -> (OpeningName, Opening) {
    let account = AccountId::from_bytes([number; 16]);
    let artefact = vec![number; 40];
    let opening = Opening { salt: Salt::from_bytes([number; 32]), digest: Digest::of(&artefact), artefact, snapshot: None };
    (OpeningName::new(account, OpeningPart::Right, opening.commitment(account)), opening)
}
