//! The code of a node, and how it is compiled.

use std::{sync::Arc, time::Duration};

use rquickjs::{Function, Object as JsObject, Result};

use super::{
    API_NAMES,
    analysis::{self, Uses},
    failure::Section,
    library,
    machine::Inside,
    modules::Module,
    own::{self, OwnValues},
    reach::Reach,
    realm::Tool,
};
use crate::engine::NodeContext;

/// The code of a function node, or the file of a node type of the user's own; read once per deploy.
#[derive(Debug)]
pub struct Code {
    sections: Vec<(Section, String, Uses)>,
    own: Option<Arc<OwnValues>>,
}

impl Code {
    /// Reads the three sections; blank ones do not count.
    pub fn new(body: String, setup: String, cleanup: String) -> Self {
        let sections = [
            (Section::Setup, setup),
            (Section::Body, body),
            (Section::Cleanup, cleanup),
        ]
        .into_iter()
        .filter(|(section, code)| *section == Section::Body || !analysis::is_blank(code.as_str()))
        .map(|(section, code)| {
            let uses = analysis::analyse(&code);
            (section, code, uses)
        })
        .collect();
        Self {
            sections,
            own: None,
        }
    }

    /// Reads a `node.js`.
    pub fn own(source: String, values: OwnValues) -> Self {
        let uses = Uses {
            calls_done: own::takes_done(&source),
            ..analysis::analyse(&source)
        };
        Self {
            sections: vec![(Section::Own, source, uses)],
            own: Some(values.into()),
        }
    }

    /// Whether there may be such a section; a `node.js` may hold any.
    pub(super) fn has(&self, section: Section) -> bool {
        self.own.is_some() || self.sections.iter().any(|(own, ..)| *own == section)
    }

    pub(super) fn own_globals(&self) -> bool {
        self.sections.iter().any(|(.., uses)| uses.own_globals)
    }

    /// Whether `throw null` stands in it.
    pub(super) fn throws_null(&self) -> bool {
        let mut codes = self.sections.iter().map(|(_, code, _)| code);
        codes.any(|code| {
            let thrown = code.split("throw").skip(1);
            thrown
                .map(str::trim_start)
                .any(|rest| rest.starts_with("null"))
        })
    }

    /// What the body reaches of a message, if that is known to be less than all.
    pub(super) fn reach(&self) -> Option<&Reach> {
        let mut sections = self.sections.iter();
        let body = sections.find(|(section, ..)| *section == Section::Body)?;
        body.2.reach.as_deref()
    }

    pub(super) fn calls_done(&self) -> bool {
        self.sections.iter().any(|(section, _, uses)| {
            matches!(section, Section::Body | Section::Own) && uses.calls_done
        })
    }

    /// Compiles the sections as functions in the node's context. The exception is pending when one can't be.
    ///
    /// # Errors
    /// The section that does not compile.
    pub(super) fn install(
        &self,
        inside: &Inside,
        index: u32,
        ctx: &NodeContext,
        options: &Options,
    ) -> std::result::Result<(), Section> {
        self.sections.iter().try_for_each(|(section, code, uses)| {
            if let Some(values) = &self.own {
                return own::install(inside, index, ctx, options.outputs, code, values)
                    .map_err(|_| *section);
            }
            install(inside, index, ctx, options, *section, code, uses).map_err(|_| *section)
        })
    }
}

/// How a node's code runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// `node.outputCount`.
    pub outputs: usize,
    /// How long one synchronous run may take; none: as the runtime's settings say.
    pub timeout: Option<Duration>,
    /// What the code finds besides, under names of its own.
    pub modules: Vec<Module>,
}

fn install(
    inside: &Inside,
    index: u32,
    ctx: &NodeContext,
    options: &Options,
    section: Section,
    code: &str,
    uses: &Uses,
) -> Result<()> {
    let realm = &inside.realm;
    let modules = options.modules.iter();
    let named: Vec<&str> = API_NAMES
        .iter()
        .copied()
        .filter(|name| *name != "node")
        .chain(modules.map(|module| module.variable.as_str()))
        .filter(|name| uses.names.contains(*name))
        .collect();
    let parameters = if section == Section::Body {
        "msg,node"
    } else {
        "node"
    };
    let kind = if uses.awaits { "async " } else { "" };
    let source = format!(
        "(function({}){{return {kind}function({parameters}){{\n{code}\n}}}})",
        named.join(",")
    );
    let factory: Function = library::compile(&realm.ctx, &source, section.name())?;
    let info = info(inside, ctx, options.outputs)?;
    let modules = JsObject::new(realm.ctx.clone())?;
    for module in &options.modules {
        modules.set(module.variable.as_str(), module.library)?;
    }
    info.set("modules", modules)?;
    realm.tool(Tool::Install)?.call((
        index,
        info,
        section.name(),
        factory,
        named,
        uses.names.contains("node"),
        uses.node_of_message,
    ))
}

/// What `node` tells of the node.
pub(super) fn info<'js>(
    inside: &Inside<'_, 'js>,
    ctx: &NodeContext,
    outputs: usize,
) -> Result<JsObject<'js>> {
    let info = JsObject::new(inside.realm.ctx.clone())?;
    let own = ctx.info();
    info.set("id", &*own.id)?;
    info.set("name", own.name.as_deref())?;
    info.set("path", own.path.as_str())?;
    info.set("outputs", outputs as u32)?;
    Ok(info)
}
