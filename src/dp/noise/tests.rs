use super::*;
use crate::random::RecordedRandom;

#[test]
fn smoke() {
    for (t, s) in [(1, 3), (1, 1), (10, 1), (1000, 1), (7_000_001, 7), (1_000_000_000_000, 1)] {
        let d = DiscreteLaplace::prepare(Scale::new(t, s).unwrap());
        let mut r = RecordedRandom::from_seed("x");
        let n = 300_000;
        let b = t as f64 / s as f64;
        for which in 0..4 {
            let start = std::time::Instant::now();
            let n = if which >= 2 { n / 50 } else { n };
            let (mut m, mut v) = (0.0, 0.0);
            for _ in 0..n {
                let y = match which {
                    0 => d.sample(&mut r),
                    1 => DiscreteLaplace::sample_once(d.scale(), &mut r),
                    2 => d.strips.as_ref().unwrap().sample::<true, _>(&mut r),
                    _ => once::laplace::<true, _>(t, s, &mut r),
                } as f64;
                m += y;
                v += y * y;
            }
            let a = (-1.0 / b).exp();
            let var = 2.0 * a / (1.0 - a).powi(2);
            let n = n as f64;
            println!(
                "{t}/{s} {which} mean {:.2} sd, var ratio {:.4} {:.0} ns",
                m / n / (var / n).sqrt(),
                v / n / var,
                start.elapsed().as_secs_f64() / n * 1e9
            );
        }
    }
}
