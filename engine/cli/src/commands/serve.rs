//! `serve`: the host API over HTTP, until the program is told to stop.

mod signals;

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_core::engine::{Engine, PayoutKey};
use tollgate_core::payout::Payout;
use tollgate_server::accept;
use tollgate_server::observed::Observed;
use tollgate_server::server::Server;
use tollgate_server::telemetry::{self, PluginFigures};

use crate::arguments::Serve;
use crate::exit::Refused;
use crate::settings::{Providers, Settings};
use crate::{session, settings};

use super::init;
use super::payout::remittance;

/// Serves a database.
pub fn run(arguments: &Serve) -> anyhow::Result<u8> {
    let settings = settings::read(arguments).context(Refused)?;
    settings.server.check().context(Refused)?;
    if arguments.print_config {
        super::print(&settings.shown()?)?;
        return Ok(0);
    }
    // Made before there is anything asynchronous, and gone after: they block.
    let providers = settings.providers()?;
    let directory = &arguments.data.data;
    if !arguments.dev {
        session::database(directory)?;
    }
    // It goes when everything else has: what is said at the end is still written.
    let _logs = telemetry::install(&settings.server).context(Refused)?;
    accept::make_room(&settings.server);
    let figures = PluginFigures::new();
    let served = session::serve(directory, |pricer| Arc::new(Observed::new(pricer, &figures)))?;
    if arguments.dev {
        let key = init::prepare(&served.engine, served.access.clone(), false)?;
        super::print(&init::in_words(directory, key.as_deref()))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(listen(served, &figures, settings, providers.clone()))?;
    drop(runtime);
    Ok(0)
}

async fn listen(
    served: session::Served,
    figures: &PluginFigures,
    settings: Settings,
    providers: Providers,
) -> anyhow::Result<()> {
    let payer = settings.payer_name();
    let print = move |engine: &Engine, key: &PayoutKey, payout: &Payout| {
        remittance::page(engine, &payer, key, payout)
    };
    let config = settings.server;
    let (address, admin) = (config.listen, config.admin_listen);
    let scheme = if config.tls_certificate.is_some() { "https" } else { "http" };
    let api = Server::new(served.engine, served.access, config)?.show(figures);
    let mut api = api.pay_through(providers).print_remittances(Arc::new(print));
    let listener = accept::listen(address).with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    if let Some(admin) = admin {
        let listener = accept::listen(admin).with_context(|| format!("cannot listen on {admin}"))?;
        say(&format!("Operating: http://{}/readyz and /metrics\n", listener.local_addr()?))?;
        api = api.administer(listener);
    }
    signals::read_tls_again_when_told(api.tls().map(Arc::clone));
    let told_to_stop = signals::told_to_stop();
    // The last line: whoever started this program may wait for it.
    say(&format!("Listening on {scheme}://{address} (reference: {scheme}://{address}/docs)\n"))?;
    api.run(listener, told_to_stop).await?;
    Ok(())
}

/// Says something at once.
fn say(line: &str) -> std::io::Result<()> {
    std::io::stdout().write_all(line.as_bytes())
}
