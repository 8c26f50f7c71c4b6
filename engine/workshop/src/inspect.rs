//! Looks into a component without running it: what it imports and exports, and what its bytes are spent on.

use crate::provenance::REVISION;
use std::{collections::BTreeMap, fmt};
use tollgate_sandbox::{CONTRACT_VERSION, is_spoken};
use wasmparser::{Parser, Payload, ProducersSectionReader};

const PLUGIN_INTERFACE: &str = "tollgate:pricing/plugin";
const LOG_INTERFACE: &str = "tollgate:pricing/log";

/// What a component is made of.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// Bytes of the whole.
    pub size: usize,
    /// Names of what it imports.
    pub imports: Vec<String>,
    /// Names of what it exports.
    pub exports: Vec<String>,
    /// The contract's version, if it exports a plugin.
    pub contract: Option<String>,
    /// Bytes of each kind of section, nested modules included; custom sections by their names.
    pub sections: BTreeMap<String, u64>,
    /// Which tools made it: `processed-by: rustc 1.95.0`.
    pub producers: Vec<String>,
    /// The revision of its sources; `modified` where they differed from it.
    pub revision: Option<String>,
}

/// Why bytes are not a plugin that this host can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Something else altogether.
    #[error("this is not WebAssembly: it does not begin with \\0asm")]
    NotWasm,
    /// The compiler's output before it became a component.
    #[error(
        "this is a core module, not a component; build it with `tollgate plugin build`, which makes the \
         component as well"
    )]
    CoreModule,
    /// WebAssembly that ends early or breaks its own rules.
    #[error("this is not a valid component: {reason}")]
    Malformed {
        /// What is wrong, and at which byte.
        reason: String,
    },
    /// A plugin reaches out of the sandbox.
    #[error(
        "the plugin imports `{import}`. A plugin may import nothing but `tollgate:pricing/log`: no clock, \
         no randomness, no files, no network"
    )]
    ForeignImport {
        /// The import's name.
        import: String,
    },
    /// A component, but of another kind.
    #[error("the component does not export `tollgate:pricing/plugin`, so it is not a pricing plugin")]
    NotPlugin,
    /// A plugin for another host.
    #[error(
        "the plugin speaks version {plugin} of tollgate:pricing, this host version {CONTRACT_VERSION}; \
         build it against this host's SDK"
    )]
    OtherContract {
        /// The plugin's version.
        plugin: String,
    },
}

/// Reads a component's structure.
///
/// # Errors
/// When the bytes are not a component. Whether it is a plugin is for [`Inspection::verify`].
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(InspectError::NotWasm);
    }
    if !Parser::is_component(bytes) {
        return Err(InspectError::CoreModule);
    }
    let mut inspection = Inspection { size: bytes.len(), ..Inspection::default() };
    inspection.read(bytes).map_err(|error| InspectError::Malformed { reason: error.to_string() })?;
    Ok(inspection)
}

impl Inspection {
    /// Whether this host would accept it as a plugin, as far as its structure tells.
    ///
    /// # Errors
    /// When it imports anything but the log, exports no plugin, or speaks another version of the contract.
    pub fn verify(&self) -> Result<(), InspectError> {
        let foreign = |import: &&String| interface(import) != LOG_INTERFACE;
        if let Some(import) = self.imports.iter().find(foreign) {
            return Err(InspectError::ForeignImport { import: import.clone() });
        }
        match &self.contract {
            None => Err(InspectError::NotPlugin),
            Some(plugin) if !is_spoken(plugin) => Err(InspectError::OtherContract { plugin: plugin.clone() }),
            Some(_) => Ok(()),
        }
    }

    fn read(&mut self, bytes: &[u8]) -> wasmparser::Result<()> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let Some((kind, size)) = section(&payload) {
                *self.sections.entry(kind).or_default() += size;
            }
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        self.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        self.add_export(export?.name.name);
                    }
                }
                Payload::CustomSection(custom) if custom.name() == "producers" => {
                    self.add_producers(ProducersSectionReader::new(custom.data_reader())?)?;
                }
                Payload::CustomSection(custom) if custom.name() == REVISION && depth == 0 => {
                    self.revision = std::str::from_utf8(custom.data()).ok().map(str::to_owned);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_export(&mut self, name: &str) {
        if interface(name) == PLUGIN_INTERFACE {
            self.contract = Some(name.split_once('@').map_or("0.0.0", |(_, version)| version).to_owned());
        }
        self.exports.push(name.to_owned());
    }

    fn add_producers(&mut self, fields: ProducersSectionReader) -> wasmparser::Result<()> {
        for field in fields {
            let field = field?;
            for value in field.values {
                let value = value?;
                let producer = format!("{}: {} {}", field.name, value.name, value.version);
                if !self.producers.contains(&producer) {
                    self.producers.push(producer);
                }
            }
        }
        Ok(())
    }
}

/// For a terminal: what it is, what crosses its border, and where its bytes are.
impl fmt::Display for Inspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = || "none".to_owned();
        let contract = self.contract.clone().unwrap_or_else(none);
        let list = |names: &[String]| if names.is_empty() { none() } else { names.join(", ") };
        writeln!(formatter, "contract    {contract}")?;
        writeln!(formatter, "imports     {}", list(&self.imports))?;
        writeln!(formatter, "exports     {}", list(&self.exports))?;
        writeln!(formatter, "made by     {}", list(&self.producers))?;
        writeln!(formatter, "revision    {}", self.revision.clone().unwrap_or_else(none))?;
        writeln!(formatter, "size        {} bytes", self.size)?;
        let mut sections: Vec<_> = self.sections.iter().collect();
        sections.sort_by_key(|(_, size)| std::cmp::Reverse(**size));
        for (kind, size) in sections {
            writeln!(formatter, "  {size:>9} {kind}")?;
        }
        Ok(())
    }
}

/// An interface's name without its version.
fn interface(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}

/// What a section's bytes are for, and how many they are. Modules and components inside are counted by
/// their own sections.
fn section(payload: &Payload) -> Option<(String, u64)> {
    let kind = match payload {
        Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => return None,
        Payload::CodeSectionStart { .. } => "code".to_owned(),
        Payload::DataSection(_) => "data".to_owned(),
        Payload::CustomSection(custom) => format!("custom: {}", custom.name()),
        _ => "the rest".to_owned(),
    };
    let (_, range) = payload.as_section()?;
    Some((kind, range.end - range.start))
}
