//! `data` as no database writes it: rowhook signs it as CPython 3.11 does, or refuses it where that refuses it.

use crate::signatures::agrees_with_the_guide;

use super::Inputs;

#[test]
fn fuzz_signature() {
    agrees_with_the_guide(Inputs::of("signature", 20_000));
}
