//! The JavaScript that comes with every context, compiled when it is first used.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rquickjs::{
    Ctx, FromJs, Function, Object as JsObject, Result, TypedArray, context::EvalOptions,
};

pub(super) const CORE: &str = include_str!("js/core.js");

/// The source of a library that core.js asks for.
pub(super) fn source(name: &str) -> Option<&'static str> {
    Some(match name {
        "buffer" => include_str!("js/buffer.js"),
        "url" => include_str!("js/url.js"),
        "util" => include_str!("js/util.js"),
        "inspect" => include_str!("js/inspect.js"),
        "red" => include_str!("js/red.js"),
        "locale" => include_str!("js/locale.js"),
        "console" => include_str!("js/console.js"),
        "path" => include_str!("js/path.js"),
        "events" => include_str!("js/events.js"),
        "querystring" => include_str!("js/querystring.js"),
        "os" => include_str!("js/os.js"),
        "crypto" => include_str!("js/crypto.js"),
        "errors" => include_str!("js/errors.js"),
        _ => return None,
    })
}

/// Evaluates a script in the global scope, sloppy as Node-RED's functions are.
pub(super) fn compile<'js, V: FromJs<'js>>(ctx: &Ctx<'js>, source: &str, file: &str) -> Result<V> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(file.to_owned());
    ctx.eval_with_options(source, options)
}

/// What the libraries need of native code.
pub(super) fn natives<'js>(ctx: &Ctx<'js>, host: &JsObject<'js>) -> Result<()> {
    host.set("utf8", Function::new(ctx.clone(), utf8)?)?;
    host.set("jsonError", Function::new(ctx.clone(), json_error)?)?;
    host.set("decode", Function::new(ctx.clone(), decode)?)?;
    host.set("uuid", Function::new(ctx.clone(), uuid)?)?;
    host.set("random", Function::new(ctx.clone(), random)?)?;
    host.set("hash", Function::new(ctx.clone(), hash)?)?;
    host.set("os", Function::new(ctx.clone(), super::os::facts)?)?;
    super::url::natives(ctx, host)
}

/// What is wrong with a text that is no JSON, in V8's words.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
fn json_error(text: String) -> Option<String> {
    crate::message::parse_json(&text)
        .err()
        .map(|error| error.to_string())
}

/// The bytes of a text.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
fn utf8<'js>(ctx: Ctx<'js>, text: rquickjs::String<'js>) -> Result<TypedArray<'js, u8>> {
    let text = super::realm::Realm::of(&ctx)?.text(&text)?;
    TypedArray::new_copy(ctx, text.as_bytes())
}

/// The text of bytes, which come as base64; what is no UTF-8 becomes U+FFFD.
fn decode(base64: String) -> String {
    String::from_utf8_lossy(&BASE64.decode(base64).unwrap_or_default()).into_owned()
}

/// Random bytes as base64.
fn random(count: u32) -> String {
    let mut bytes = vec![0; count as usize];
    if getrandom::fill(&mut bytes).is_err() {
        tracing::warn!("the system gives no random numbers");
    }
    BASE64.encode(bytes)
}

/// The digest of bytes; both as base64.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
fn hash(algorithm: String, base64: String) -> String {
    fn of<D: sha2::Digest>(bytes: &[u8]) -> Vec<u8> {
        D::digest(bytes).to_vec()
    }
    let bytes = BASE64.decode(base64).unwrap_or_default();
    BASE64.encode(match algorithm.as_str() {
        "md5" => of::<md5::Md5>(&bytes),
        "sha1" => of::<sha1::Sha1>(&bytes),
        "sha224" => of::<sha2::Sha224>(&bytes),
        "sha384" => of::<sha2::Sha384>(&bytes),
        "sha512" => of::<sha2::Sha512>(&bytes),
        _ => of::<sha2::Sha256>(&bytes),
    })
}

/// A random UUID (version 4).
fn uuid() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        tracing::warn!("the system gives no random numbers");
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}
