//! Typed arrays: bytes, and the numbers that they stand for.

use std::sync::Arc;

use bytes::Bytes;

use super::Value;

/// A typed array, DataView or ArrayBuffer (`kind` is the constructor's name) and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedArray {
    pub kind: Arc<str>,
    pub bytes: Bytes,
}

impl TypedArray {
    /// How many bytes an element has; none for what has no elements (a DataView, an ArrayBuffer).
    fn width(&self) -> Option<usize> {
        Some(match &*self.kind {
            "Int8Array" | "Uint8Array" | "Uint8ClampedArray" => 1,
            "Int16Array" | "Uint16Array" | "Float16Array" => 2,
            "Int32Array" | "Uint32Array" | "Float32Array" => 4,
            "Float64Array" | "BigInt64Array" | "BigUint64Array" => 8,
            _ => return None,
        })
    }

    /// How many elements it has; none for what has no elements.
    pub fn length(&self) -> Option<usize> {
        Some(self.bytes.len() / self.width()?)
    }

    /// The element at `index`, in the order of bytes that all current machines have.
    pub fn element(&self, index: usize) -> Option<Value> {
        let width = self.width()?;
        let start = index.checked_mul(width)?;
        let bytes = self.bytes.get(start..start.checked_add(width)?)?;
        let number = match &*self.kind {
            "Int8Array" => f64::from(i8::from_le_bytes(bytes.try_into().ok()?)),
            "Uint8Array" | "Uint8ClampedArray" => f64::from(bytes[0]),
            "Int16Array" => f64::from(i16::from_le_bytes(bytes.try_into().ok()?)),
            "Uint16Array" => f64::from(u16::from_le_bytes(bytes.try_into().ok()?)),
            "Float16Array" => half(u16::from_le_bytes(bytes.try_into().ok()?)),
            "Int32Array" => f64::from(i32::from_le_bytes(bytes.try_into().ok()?)),
            "Uint32Array" => f64::from(u32::from_le_bytes(bytes.try_into().ok()?)),
            "Float32Array" => f64::from(f32::from_le_bytes(bytes.try_into().ok()?)),
            "Float64Array" => f64::from_le_bytes(bytes.try_into().ok()?),
            "BigInt64Array" => {
                let number = i64::from_le_bytes(bytes.try_into().ok()?);
                return Some(Value::BigInt(number.to_string().into()));
            }
            _ => {
                let number = u64::from_le_bytes(bytes.try_into().ok()?);
                return Some(Value::BigInt(number.to_string().into()));
            }
        };
        Some(Value::Number(number))
    }

    /// Its elements; an `ArrayBuffer` or `DataView` has none.
    pub fn elements(&self) -> impl Iterator<Item = Value> {
        let length = self.length().unwrap_or(0);
        (0..length).map(|index| self.element(index).unwrap_or_default())
    }

    /// `String(array)` of JavaScript.
    pub fn text(&self) -> String {
        if self.width().is_none() {
            return format!("[object {}]", self.kind);
        }
        let texts = self.elements().map(|element| element.to_text());
        texts.collect::<Vec<_>>().join(",")
    }
}

/// A number of 16 bits (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match i32::from((bits >> 10) & 0x1f) {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    sign * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elements_are_those_of_the_kind() {
        for (kind, bytes, text) in [
            ("Uint8Array", &[1, 255][..], "1,255"),
            ("Int8Array", &[1, 255], "1,-1"),
            ("Uint16Array", &[1, 1, 9], "257"),
            (
                "Float16Array",
                &[0, 0x3c, 0, 0xc1, 0, 0x7c],
                "1,-2.5,Infinity",
            ),
            ("Float32Array", &[0, 0, 0xc0, 0x3f], "1.5"),
            ("BigInt64Array", &[255; 8], "-1"),
            ("BigUint64Array", &[255; 8], "18446744073709551615"),
            ("DataView", &[1], "[object DataView]"),
            ("Uint32Array", &[], ""),
        ] {
            let array = TypedArray {
                kind: kind.into(),
                bytes: Bytes::copy_from_slice(bytes),
            };
            assert_eq!(array.text(), text, "{kind}");
        }
    }
}
