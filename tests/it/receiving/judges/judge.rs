//! Gives the verdicts of the page's Rust functions; what comes and goes is as in judge.go.

mod ion;
mod verify;

use std::{collections::HashMap, io::stdin};

use base64::{Engine as _, engine::general_purpose::STANDARD};

fn main() {
    for line in stdin().lines() {
        let line = line.unwrap();
        let fields: Vec<Vec<u8>> = line.split('\t').map(|field| STANDARD.decode(field).unwrap()).collect();
        let text = |place: usize| str::from_utf8(&fields[place]).unwrap();
        let headers: HashMap<&str, &str> =
            (3..fields.len()).step_by(2).map(|place| (text(place), text(place + 1))).collect();
        let header = |name: &str| headers.get(name).copied().unwrap_or("");
        let standard = verify::verify_standard(text(0), header, &fields[2]);
        let ion = ion::verify_ion(text(0), text(1), header, &fields[2]);
        println!("{} {}", u8::from(standard), u8::from(ion));
    }
}
