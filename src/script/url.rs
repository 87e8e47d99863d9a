//! URLs for scripts, parsed by the `url` crate as browsers do.

use rquickjs::{Ctx, Function, Object as JsObject, Result, function::Opt};
use url::{Url, quirks};

/// Adds `url` and `urlSet`.
pub(super) fn natives<'js>(ctx: &Ctx<'js>, host: &JsObject<'js>) -> Result<()> {
    host.set("url", Function::new(ctx.clone(), parse)?)?;
    host.set("urlSet", Function::new(ctx.clone(), set)?)
}

/// The parts of a URL under the names of the URL class; none when it can't be parsed.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
fn parse<'js>(
    ctx: Ctx<'js>,
    text: String,
    base: Opt<Option<String>>,
) -> Result<Option<JsObject<'js>>> {
    let parsed = match base.0.flatten() {
        Some(base) => Url::parse(&base).and_then(|base| base.join(&text)),
        None => Url::parse(&text),
    };
    parsed.ok().map(|url| parts(&ctx, &url)).transpose()
}

/// The parts after a change of one; none when the new value does not fit.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
fn set<'js>(
    ctx: Ctx<'js>,
    href: String,
    name: String,
    value: String,
) -> Result<Option<JsObject<'js>>> {
    let Ok(mut url) = Url::parse(&href) else {
        return Ok(None);
    };
    let url_ref = &mut url;
    let changed = match name.as_str() {
        "protocol" => quirks::set_protocol(url_ref, &value),
        "username" => quirks::set_username(url_ref, &value),
        "password" => quirks::set_password(url_ref, &value),
        "host" => quirks::set_host(url_ref, &value),
        "hostname" => quirks::set_hostname(url_ref, &value),
        "port" => quirks::set_port(url_ref, &value),
        "pathname" => {
            quirks::set_pathname(url_ref, &value);
            Ok(())
        }
        "search" => {
            quirks::set_search(url_ref, &value);
            Ok(())
        }
        "hash" => {
            quirks::set_hash(url_ref, &value);
            Ok(())
        }
        _ => Err(()),
    };
    changed.ok().map(|()| parts(&ctx, &url)).transpose()
}

fn parts<'js>(ctx: &Ctx<'js>, url: &Url) -> Result<JsObject<'js>> {
    let parts = JsObject::new(ctx.clone())?;
    parts.set("href", quirks::href(url))?;
    parts.set("origin", quirks::origin(url))?;
    parts.set("protocol", quirks::protocol(url))?;
    parts.set("username", quirks::username(url))?;
    parts.set("password", quirks::password(url))?;
    parts.set("host", quirks::host(url))?;
    parts.set("hostname", quirks::hostname(url))?;
    parts.set("port", quirks::port(url))?;
    parts.set("pathname", quirks::pathname(url))?;
    parts.set("search", quirks::search(url))?;
    parts.set("hash", quirks::hash(url))?;
    Ok(parts)
}
