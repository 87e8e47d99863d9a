//! The libraries that expressions run on, as npm has them (js/vendor), and the two ways in which jsonata is run.

use std::sync::OnceLock;

use rquickjs::{Ctx, Function, Object as JsObject, Result, Value as JsValue, function::Opt};

use super::super::library;

const JSONATA: &str = include_str!("../js/vendor/jsonata.min.js");
const MOMENT: &str = include_str!("../js/vendor/moment.min.js");
const MOMENT_TIMEZONE: &str = include_str!("../js/vendor/moment-timezone.min.js");

/// jsonata looks up own properties only. Node-RED's copy takes inherited ones, so that `$moment().format()` works, and
/// refuses those through which an expression could reach the language's own objects.
const LOOKUP: (&str, &str) = (
    "Object.prototype.hasOwnProperty.call(t,r)&&!o(t)&&(n=t[r])",
    r#"("_"!==r[0]&&"constructor"!==r&&"prototype"!==r||!/^(__proto__|constructor|prototype|__(lookup|define)[GS]etter__)$/.test(r))&&!o(t)&&(n=t[r])"#,
);

/// Hooks for debuggers, which cost a walk through all variables at every step.
const HOOKS: [&str; 3] = [
    r#"o.lookup(Symbol.for("jsonata.__evaluate_entry"))"#,
    r#"o.lookup(Symbol.for("jsonata.__evaluate_exit"))"#,
    r#"e.lookup(Symbol.for("jsonata.__createFrame_push"))"#,
];

/// When memory runs out, what is thrown may be null, which jsonata would hide by an error about null.
const CATCHES: [&str; 3] = ["e", "t", "p"];

/// jsonata waits for every step, in case a function answers later. Ours never do, so all waiting can be left out: that is
/// several times faster. Recursion then is as deep as the stack; what needs more runs as it was written.
const NO_WAITING: [(&str, &str); 4] = [
    ("async function", "function"),
    ("async(", "("),
    ("await ", ""),
    ("Promise.all(", "("),
];

/// jsonata as Node-RED has it.
fn waiting() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let source = JSONATA.replace(LOOKUP.0, LOOKUP.1);
        let source = HOOKS
            .iter()
            .fold(source, |source, hook| source.replace(hook, "void 0"));
        CATCHES.iter().fold(source, |source, name| {
            source.replace(
                &format!("catch({name}){{throw "),
                &format!("catch({name}){{if({name}===null)throw {name};throw "),
            )
        })
    })
}

/// The same without promises.
fn direct() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        NO_WAITING
            .iter()
            .fold(waiting().to_owned(), |source, (from, to)| {
                source.replace(from, to)
            })
    })
}

/// What a library exports. `global` is what it takes for the global object; `moment` what moment-timezone asks for.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
pub(super) fn library<'js>(
    ctx: Ctx<'js>,
    name: String,
    global: JsObject<'js>,
    moment: Opt<JsValue<'js>>,
) -> Result<JsValue<'js>> {
    let source = match name.as_str() {
        "jsonata" => direct(),
        "jsonata-waiting" => waiting(),
        "moment" => MOMENT,
        _ => MOMENT_TIMEZONE,
    };
    let source =
        format!("(function(module,exports,require,global){{{source}\n;return module.exports}})");
    let load: Function = library::compile(&ctx, &source, &name)?;
    let module = JsObject::new(ctx.clone())?;
    let exports = JsObject::new(ctx.clone())?;
    module.set("exports", exports.clone())?;
    let require = match moment.0 {
        Some(moment) => {
            let give: Function =
                library::compile(&ctx, "(function(moment){return()=>moment})", "require")?;
            give.call::<_, JsValue>((moment,))?
        }
        None => JsValue::new_undefined(ctx.clone()),
    };
    load.call((module, exports, require, global))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changes_find_their_places() {
        assert_eq!(JSONATA.matches(LOOKUP.0).count(), 1);
        for hook in HOOKS {
            assert_eq!(JSONATA.matches(hook).count(), 1, "{hook}");
        }
        assert_eq!(waiting().matches("===null)throw").count(), 8);
        let direct = direct();
        for word in ["async function", "async(", "async ", "await", "Promise."] {
            assert!(!direct.contains(word), "{word} is left");
        }
    }
}
