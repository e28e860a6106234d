//! Pictures that a script's function `frame` returns.

use serde_json::json;
use wasmlark::Value;

use crate::reply::Reply;

/// Returns a picture as the page draws it: four bytes for each pixel, in the order that the head names.
///
/// # Errors
///
/// A message, if the value is not a picture.
pub fn picture(value: &Value) -> Result<Reply, String> {
    let number = |name: &str| {
        let number = value.get(name).and_then(Value::as_i64).and_then(|n| usize::try_from(n).ok());
        number.filter(|n| (1..=4096).contains(n)).ok_or_else(|| {
            format!("`frame` must return a dict or struct whose `{name}` is an int from 1 to 4096, got {}", kind(value))
        })
    };
    let (width, height) = (number("width")?, number("height")?);
    let order = match value.get("order").map(Value::as_str) {
        None => "rgba",
        Some(Some(order @ ("rgba" | "bgra"))) => order,
        Some(_) => return Err("`order` of a frame must be \"rgba\" or \"bgra\"".to_owned()),
    };
    let want = width.saturating_mul(height).saturating_mul(4);
    match value.get("pixels") {
        Some(Value::Bytes(pixels)) if pixels.len() == want => {
            Ok(Reply::new(&json!({ "width": width, "height": height, "order": order }), pixels.clone()))
        }
        Some(Value::Bytes(pixels)) => {
            Err(format!("`pixels` of a frame of {width} × {height} must have {want} bytes, got {}", pixels.len()))
        }
        _ => Err("`pixels` of a frame must be bytes".to_owned()),
    }
}

/// Says what a value is, without the megabytes that it may have.
fn kind(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
