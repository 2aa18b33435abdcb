//! Whether requests keep a throttle, by when they were received.

use super::receiver::Delivery;

/// A request that lies this much closer to an earlier one than the throttle allows was read late, the
/// earlier one: a busy machine does that. In seconds.
const LATE: f64 = 0.5;

/// Checks that in any window of t seconds at most `burst + per_second × t` of these requests came.
pub fn assert_throttled(deliveries: &[&Delivery], per_second: f64, burst: usize) {
    for (first, from) in deliveries.iter().enumerate() {
        for (further, to) in deliveries[first..].iter().enumerate() {
            let took = to.at.duration_since(from.at).as_secs_f64();
            let most = burst as f64 + per_second * (took + LATE);
            let came = further + 1;
            assert!(came as f64 <= most, "{came} requests in {took} s");
        }
    }
}
