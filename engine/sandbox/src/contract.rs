//! Whether bytes can be a pricing plugin at all, told before a single one of them is compiled.

use wasmparser::{Encoding, Parser, Payload};

/// The only interface a plugin may import.
pub(crate) const LOG_INTERFACE: &str = "tollgate:pricing/log@0.1.0";
const PACKAGE: &str = "tollgate:pricing/";
const LOG: &str = "tollgate:pricing/log";
const PLUGIN: &str = "tollgate:pricing/plugin";
/// The version of `tollgate:pricing` that this host speaks.
pub const CONTRACT_VERSION: &str = "0.1.0";

/// Refuses what is not a component, imports anything but `log`, or was built for another contract.
///
/// # Errors
/// A sentence with the cause and the fix.
pub(crate) fn examine(component: &[u8], bytes_max: usize) -> Result<(), String> {
    if component.len() > bytes_max {
        let (size, max) = (component.len(), bytes_max);
        return Err(format!("the component has {size} bytes; at most {max} are accepted"));
    }
    if !component.starts_with(b"\0asm") {
        return Err("this is not WebAssembly: a component begins with the bytes `\\0asm`".into());
    }
    let names = Names::read(component)?;
    names.imports.iter().try_for_each(|name| examine_import(name))?;
    examine_exports(&names.exports)
}

/// What the outermost component imports and exports.
#[derive(Default)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Names {
    fn read(component: &[u8]) -> Result<Self, String> {
        let malformed =
            |error: wasmparser::BinaryReaderError| format!("this is not valid WebAssembly: {error}");
        let mut names = Self::default();
        // How many modules and components inside the outermost are open.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(malformed)? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(CORE_MODULE.into());
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    depth = depth.saturating_add(1);
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        names.imports.push(import.map_err(malformed)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        names.exports.push(export.map_err(malformed)?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(names)
    }
}

const CORE_MODULE: &str = "this is a core WebAssembly module, not a component; \
    `tollgate plugin build` makes a component of it";

fn examine_import(import: &str) -> Result<(), String> {
    let (interface, version) = split(import);
    if interface == LOG {
        return examine_version(version);
    }
    let cure = if import.starts_with("wasi:") {
        "it was built for WASI: build it for wasm32-unknown-unknown, as `tollgate plugin build` does"
    } else {
        "remove what needs it"
    };
    Err(format!("it imports `{import}`, but a pricing plugin may import only `{LOG_INTERFACE}`; {cure}"))
}

fn examine_exports(exports: &[String]) -> Result<(), String> {
    let found = exports.iter().map(|export| split(export)).find(|(interface, _)| *interface == PLUGIN);
    match found {
        Some((_, version)) => examine_version(version),
        None => {
            Err(format!("it does not export `{PLUGIN}@{CONTRACT_VERSION}`, so it is not a pricing plugin"))
        }
    }
}

fn examine_version(version: &str) -> Result<(), String> {
    if is_spoken(version) {
        return Ok(());
    }
    let package = PACKAGE.trim_end_matches('/');
    Err(format!(
        "it was built for contract `{package}` {version}, and this host runs {CONTRACT_VERSION}; \
         build it again with this host's SDK"
    ))
}

/// Whether this host runs plugins of a version of the contract.
pub fn is_spoken(version: &str) -> bool {
    compatible(version).is_some_and(|it| Some(it) == compatible(CONTRACT_VERSION))
}

/// A version up to its first number that is not zero: all that decides whether two versions agree.
fn compatible(version: &str) -> Option<(u64, u64, u64)> {
    let version = semver::Version::parse(version).ok().filter(|version| version.pre.is_empty())?;
    Some(match (version.major, version.minor, version.patch) {
        (0, 0, patch) => (0, 0, patch),
        (0, minor, _) => (0, minor, 0),
        (major, _, _) => (major, 0, 0),
    })
}

fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, "without a version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_agree_up_to_the_first_number_that_is_not_zero() {
        for (version, fits) in [
            ("0.1.0", true),
            ("0.1.9", true),
            ("0.2.0", false),
            ("1.1.0", false),
            ("0.1.0-rc.1", false),
            ("x", false),
        ] {
            assert_eq!(examine_version(version).is_ok(), fits, "{version}");
        }
    }
}
