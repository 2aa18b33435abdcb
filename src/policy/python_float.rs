//! Python's `float`: read from a JSON number, written as `repr` writes it.
//!
//! `policy::python_json` reads with it, `policy::python_repr` writes with it. Both directions go around
//! the standard library where it differs from CPython: its parser on very long exponents, its formatter
//! on decimal ties. Never anything but `f64`: integers stay text.

/// Longest literal that is handed to the standard library as it stands. Its parser stops counting an
/// exponent somewhere above 65,536, which a longer run of zeros in the same literal could make up for.
const LONGEST_PLAIN_LITERAL: usize = 60_000;

/// The decimal point's place from which `repr` uses an exponent: 1e16 is the first such number
/// (`float_repr_style` "short", CPython's `Python/pystrtod.c`, `format_float_short` with code `r`).
const POINT_TOO_FAR_RIGHT: i32 = 17;

/// The same on the other side: 0.0001 is the last number written without an exponent.
const POINT_TOO_FAR_LEFT: i32 = -4;

/// The nearest `f64` to a number of the JSON grammar, infinite where it is too large, like `float()`.
#[must_use]
pub fn read(literal: &str) -> f64 {
    let parsed = if literal.len() <= LONGEST_PLAIN_LITERAL {
        literal.parse()
    } else {
        with_short_exponent(literal).parse()
    };
    parsed.expect("the JSON grammar of a number is within that of f64's FromStr")
}

/// The same number as `d.ddd…e±x`, where the exponent alone decides the magnitude and may be cut off far
/// outside the range of `f64`.
fn with_short_exponent(literal: &str) -> String {
    const BEYOND_F64: i64 = 10_000;
    let (sign, magnitude) = match literal.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", literal),
    };
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.parse().unwrap_or(if exponent.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    });
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return format!("{sign}0");
    }
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let first_place = length(whole) - (length(&digits) - length(significant)) - 1;
    let exponent = exponent
        .saturating_add(first_place)
        .clamp(-BEYOND_F64, BEYOND_F64);
    let (first, rest) = significant.split_at(1);
    format!("{sign}{first}.{rest}e{exponent}")
}

/// Appends `repr(number)`, which is also `str(number)`: the shortest digits that read back as the number,
/// the nearest of them to it, the even one of two that are equally near.
///
/// The digits come from `ryu`, since `core::fmt` rounds such ties up: 1993235479789326.25 ends in `.2` in
/// Python and in `.3` there.
pub fn push_repr(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("nan");
        return;
    }
    if number.is_sign_negative() {
        out.push('-');
    }
    if number.is_infinite() {
        out.push_str("inf");
    } else if number == 0.0 {
        out.push_str("0.0");
    } else {
        push_magnitude(out, number.abs());
    }
}

/// Appends a finite number above zero: takes the digits and the place of the point out of ryu's notation
/// and sets them in Python's.
fn push_magnitude(out: &mut String, number: f64) {
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format_finite(number);
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let exponent: i32 = exponent
        .parse()
        .expect("ryu writes a decimal exponent behind its `e`");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));

    // Digits without leading and trailing zeros; the number is 0.DIGITS times ten to the `point`.
    let mut digits = [0_u8; 32];
    let mut length = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        digits[length] = byte;
        length += 1;
    }
    let digits = std::str::from_utf8(&digits[..length]).expect("ryu writes ASCII digits");
    let significant = digits.trim_start_matches('0');
    let count = |text: &str| i32::try_from(text.len()).expect("ryu writes at most 24 bytes");
    let point = count(whole) + exponent - (count(digits) - count(significant));
    let significant = significant.trim_end_matches('0');

    if point <= POINT_TOO_FAR_LEFT || point >= POINT_TOO_FAR_RIGHT {
        push_with_exponent(out, significant, point - 1);
        return;
    }
    let length = count(significant);
    if point <= 0 {
        out.push_str("0.");
        push_zeros(out, -point);
        out.push_str(significant);
    } else if point >= length {
        out.push_str(significant);
        push_zeros(out, point - length);
        out.push_str(".0");
    } else {
        let (whole, fraction) = significant.split_at(usize::try_from(point).unwrap_or_default());
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    }
}

fn push_zeros(out: &mut String, count: i32) {
    for _ in 0..count {
        out.push('0');
    }
}

/// `d.ddde±xx`: no point behind a single digit, and at least two digits of exponent with their sign.
fn push_with_exponent(out: &mut String, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at(1);
    out.push_str(first);
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    out.push_str(if exponent < 0 { "e-" } else { "e+" });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push('0');
    }
    out.push_str(&exponent.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repr(number: f64) -> String {
        let mut out = String::new();
        push_repr(&mut out, number);
        out
    }

    #[test]
    fn floats_look_as_in_python() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (100.0, "100.0"),
            (123_456.789, "123456.789"),
            (0.0001, "0.0001"),
            (0.000_012_34, "1.234e-05"),
            (0.00001, "1e-05"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e22, "1e+22"),
            (1e23, "1e+23"),
            (1.5e-7, "1.5e-07"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (2.225_073_858_507_201_4e-308, "2.2250738585072014e-308"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(repr(number), expected);
        }
    }

    #[test]
    fn of_two_equally_near_the_even_digit_is_taken() {
        for (literal, expected) in [
            ("1993235479789326.25", "1993235479789326.2"),
            ("1993235479789326.75", "1993235479789326.8"),
            ("-1993235479789326.25", "-1993235479789326.2"),
        ] {
            assert_eq!(repr(read(literal)), expected);
        }
    }

    #[test]
    fn an_exponent_beyond_the_standard_parser_is_counted_in_full() {
        let zeros = "0".repeat(700_000);
        let nines = "9".repeat(99);
        for (literal, expected) in [
            (format!("-0.{zeros}125e700003"), -125.0),
            (format!("25{zeros}.0E-700001"), 2.5),
            (format!("0.{zeros}25e+700000"), 0.25),
            (format!("0.{zeros}1e{nines}"), f64::INFINITY),
            (format!("-0.{zeros}1e{nines}"), f64::NEG_INFINITY),
            (format!("1{zeros}e-{nines}"), 0.0),
            (format!("1.{zeros}"), 1.0),
        ] {
            assert_eq!(
                read(&literal),
                expected,
                "{} bytes, {}…",
                literal.len(),
                &literal[..9]
            );
        }
        assert!(read(&format!("-0.{zeros}e9")).is_sign_negative());
    }
}
