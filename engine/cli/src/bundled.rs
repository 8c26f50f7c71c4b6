//! The first-party plugins, inside this program: no toolchain and no file is needed to use them.

use std::borrow::Cow;
use std::path::Path;

use anyhow::Context as _;

use crate::exit::Refused;

/// Names and components.
pub const PLUGINS: [(&str, &[u8]); 6] = [
    ("cost-plus", include_bytes!("../../../plugins/prebuilt/cost-plus.wasm")),
    ("included-overage", include_bytes!("../../../plugins/prebuilt/included-overage.wasm")),
    ("tiered", include_bytes!("../../../plugins/prebuilt/tiered.wasm")),
    ("rate-card", include_bytes!("../../../plugins/prebuilt/rate-card.wasm")),
    ("percentage", include_bytes!("../../../plugins/prebuilt/percentage.wasm")),
    ("conversation", include_bytes!("../../../plugins/prebuilt/conversation.wasm")),
];

/// The component that `plugin` names: a bundled one, or a file, relative to `directory`.
pub fn component(plugin: &str, directory: &Path) -> anyhow::Result<Cow<'static, [u8]>> {
    if let Some((_, component)) = PLUGINS.iter().find(|(name, _)| *name == plugin) {
        return Ok(Cow::Borrowed(component));
    }
    let path = directory.join(plugin);
    let names = PLUGINS.map(|(name, _)| name).join(", ");
    let bytes = std::fs::read(&path)
        .with_context(|| format!("plugin {plugin}: no such file, and not a bundled plugin ({names})"))
        .context(Refused)?;
    Ok(Cow::Owned(bytes))
}
