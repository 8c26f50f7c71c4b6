//! The [`Pricer`]: admits plugins, keeps them, and opens an instance of one for each batch.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use tollgate_core::plugin::{Descriptor, Digest, Problem};
use tollgate_core::pricer::{Pricer, PricerError, Pricing};
use wasmtime::component::{Component, Linker};

use crate::bindings::PricingPre;
use crate::cache::{CodeCache, unseal};
use crate::call::CallSink;
use crate::compile::{CompileError, Compiler, compile};
use crate::engine::{Purpose, Ticker, engine};
use crate::limits::Limits;
use crate::log::{self, LogSink};
use crate::plugin::Plugin;
use crate::run::{Host, Run};
use crate::schema::SettingsSchema;
use crate::store::State;
use crate::{contract, description};

/// How a sandbox is set up.
#[derive(Clone)]
pub struct SandboxConfig {
    /// What plugins may use.
    pub limits: Limits,
    /// Who compiles.
    pub compiler: Compiler,
    /// Where compiled code is kept between runs of this program; `None` compiles anew each time.
    pub cache_directory: Option<PathBuf>,
    /// Who hears what plugins log; `None` keeps only what a panic said.
    pub on_log: Option<LogSink>,
    /// Who is told what each call took; `None` for nobody.
    pub on_call: Option<CallSink>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            compiler: Compiler::InProcess,
            cache_directory: None,
            on_log: None,
            on_call: None,
        }
    }
}

/// Runs pricing plugins, each batch in an instance of its own.
pub struct Sandbox {
    host: Host,
    limits: Limits,
    linker: Linker<State>,
    compiler: Compiler,
    cache: Option<CodeCache>,
    plugins: RwLock<HashMap<Digest, Arc<Plugin>>>,
    _ticker: Ticker,
}

impl Sandbox {
    /// Sets a sandbox up.
    ///
    /// # Errors
    /// [`PricerError::Infrastructure`] when the host lacks address space or a thread, or the cache directory
    /// is not this user's alone.
    pub fn new(config: SandboxConfig) -> Result<Self, PricerError> {
        let SandboxConfig { limits, compiler, cache_directory, on_log, on_call } = config;
        let cannot = |what: &str, error: &dyn std::fmt::Display| {
            PricerError::Infrastructure(format!("cannot start the sandbox: {what}: {error:#}"))
        };
        let engine = engine(&limits, Purpose::Run).map_err(|error| cannot("the engine", &error))?;
        let mut linker = Linker::new(&engine);
        log::link(&mut linker).map_err(|error| cannot("the log", &error))?;
        let cache = cache_directory.map(|directory| CodeCache::open(&directory, &engine)).transpose();
        let ticker = Ticker::start(&engine).map_err(|error| cannot("the clock's thread", &error))?;
        Ok(Self {
            host: Host { engine, sink: on_log, on_call },
            limits,
            linker,
            compiler,
            cache: cache.map_err(PricerError::Infrastructure)?,
            plugins: RwLock::default(),
            _ticker: ticker,
        })
    }

    fn plugin(&self, digest: &Digest) -> Result<Arc<Plugin>, PricerError> {
        let plugins = self.plugins.read().unwrap_or_else(PoisonError::into_inner);
        plugins.get(digest).cloned().ok_or(PricerError::Unknown(*digest))
    }

    /// The compiled component: from the cache, or else compiled now.
    fn load(&self, digest: &Digest, component: &[u8], limits: &Limits) -> Result<Component, PricerError> {
        let path = self.cache.as_ref().map(|cache| cache.path(digest));
        if let Some(component) = path.as_deref().and_then(unseal).and_then(|code| self.revive(&code).ok()) {
            return Ok(component);
        }
        let engine = &self.host.engine;
        let code =
            compile(&self.compiler, engine, limits, component, path.as_deref()).map_err(
                |error| match error {
                    CompileError::Component(reason) => PricerError::NotAPlugin(reason),
                    CompileError::Host(reason) => PricerError::Infrastructure(reason),
                },
            )?;
        self.revive(&code).map_err(|error| {
            PricerError::NotAPlugin(format!("it does not fit this host's limits: {}", error.root_cause()))
        })
    }

    /// Makes compiled code runnable.
    fn revive(&self, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: `code` was just compiled here, or came out of `unseal`: a file that this user alone could
        // have written, that carries the checksum of what `seal` was given, and that nobody can change any
        // more, because it was read into memory first. wasmtime itself refuses code of another version,
        // processor or configuration.
        #[allow(unsafe_code)]
        unsafe {
            Component::deserialize(&self.host.engine, code)
        }
    }

    fn link(&self, component: &Component) -> Result<PricingPre<State>, PricerError> {
        let linked = self.linker.instantiate_pre(component).and_then(PricingPre::new);
        linked.map_err(|error| PricerError::NotAPlugin(format!("it does not fit the contract: {error:#}")))
    }

    fn run<'a>(&'a self, plugin: &Plugin, settings: &'a str) -> Result<Run<'a>, PricerError> {
        let (limits, label) = (Arc::clone(&plugin.limits), Arc::clone(&plugin.label));
        Run::start(&self.host, limits, label, &plugin.linked, settings)
    }

    fn describe(&self, linked: PricingPre<State>, limits: Limits) -> Result<Plugin, PricerError> {
        let limits = Arc::new(limits);
        let mut run = Run::start(&self.host, Arc::clone(&limits), "the plugin".into(), &linked, "")?;
        let descriptor = run.describe()?;
        description::examine(&descriptor).map_err(PricerError::NotAPlugin)?;
        let schema = SettingsSchema::compile(&descriptor.settings_schema).map_err(PricerError::NotAPlugin)?;
        let label = format!("{} {}", descriptor.name, descriptor.version).into();
        Ok(Plugin { label, limits, linked, descriptor, schema })
    }
}

impl Pricer for Sandbox {
    fn admit(&self, component: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        let digest = Digest::of(component);
        if let Ok(plugin) = self.plugin(&digest) {
            return Ok((digest, plugin.descriptor.clone()));
        }
        let limits = self.limits.of_component(component.len());
        contract::examine(component, limits.component_bytes).map_err(PricerError::NotAPlugin)?;
        let linked = self.link(&self.load(&digest, component, &limits)?)?;
        let plugin = self.describe(linked, limits)?;
        let descriptor = plugin.descriptor.clone();
        self.plugins.write().unwrap_or_else(PoisonError::into_inner).insert(digest, Arc::new(plugin));
        Ok((digest, descriptor))
    }

    fn check(&self, plugin: &Digest, settings: &str) -> Result<Vec<Problem>, PricerError> {
        let plugin = self.plugin(plugin)?;
        let whole = |message: String| Ok(vec![Problem { pointer: String::new(), message }]);
        let (size, max) = (settings.len(), plugin.limits.settings_bytes);
        if size > max {
            return whole(format!("the settings have {size} bytes; at most {max} are accepted"));
        }
        let value: Value = match serde_json::from_str(settings) {
            Ok(value) => value,
            Err(error) => return whole(format!("the settings are not JSON: {error}")),
        };
        if !value.is_object() {
            return whole("the settings must be a JSON object, as in {\"margin\": \"0.20\"}".into());
        }
        let problems = plugin.schema.problems(&value);
        if !problems.is_empty() {
            return Ok(problems);
        }
        self.run(&plugin, settings)?.check()
    }

    fn open<'a>(&'a self, plugin: &Digest, settings: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        let plugin = self.plugin(plugin)?;
        Ok(Box::new(self.run(&plugin, settings)?))
    }

    /// That of the native tier, whichever plugin will run: by it the engine judges what a run that failed has
    /// wasted, and so has less patience with an interpreted plugin's loops, which cost a host the more.
    fn fuel_budget(&self, rows: usize) -> u64 {
        self.limits.fuel_budget(rows)
    }
}
