//! Puts the parts together: the only file that knows them all, and nothing else.

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    broker::{BoundListeners, Broker},
    catalog::{Catalog, OwnError},
    cli::{self, Banner, CANNOT, Cli, Command},
    engine::{Clock, Contexts, Registry},
    flow::{Flows, ProcessEnv},
    mqtt::Bridges,
    nodes,
    runtime::{Deploy, Runtime, RuntimeConfig},
    script::{self, Jsonata, Variables},
    server::{self, ServerState},
    services::Services,
    settings::{Flags, Settings},
    startup::{self, Signal, Signals, StartError},
    store::{BrokerStore, DataFolder, DiskFlowStore, FlowStore, MemoryFlowStore, Place},
};

/// How long the parts that are left may take once the flows have stopped.
const LAST_STEPS: Duration = Duration::from_millis(1_600);

/// How long the context that is still to be written may take.
const CONTEXT_LIMIT: Duration = Duration::from_secs(5);

/// What the binary does.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Check { file, places }) => settings(&places.flags())
            .and_then(|settings| catalog(&settings, &|error| cli::complain(error)))
            .map(|catalog| ExitCode::from(cli::check(&file, &catalog))),
        Some(Command::Nodes(places)) => list_nodes(&places.flags()),
        Some(Command::Mqtt(mut command)) => settings(&command.flags()).map(|settings| {
            let fixed = settings.broker.map(|broker| broker.access);
            let fixed = fixed.unwrap_or_default();
            ExitCode::from(cli::mqtt(command, &settings.data, &fixed))
        }),
        Some(Command::Import(mut options)) => settings(&options.flags())
            .map(|settings| ExitCode::from(cli::run_import(&options, &settings.data))),
        Some(Command::Run(options)) => run(&options.flags()),
        None => run(&cli.run.flags()),
    };
    outcome.unwrap_or_else(|error| {
        cli::complain(error);
        ExitCode::from(CANNOT)
    })
}

fn settings(flags: &Flags) -> Result<Settings, StartError> {
    Ok(Settings::resolve(flags, &|name| std::env::var(name).ok())?)
}

/// The built-in types and the user's own. Of the latter those that can't be used are told and left out.
fn catalog(settings: &Settings, tell: &dyn Fn(OwnError)) -> Result<Arc<Catalog>, StartError> {
    let mut catalog =
        Catalog::builtin(&settings.lang).map_err(|error| StartError::Other(error.to_string()))?;
    for folder in startup::node_folders(settings) {
        if let Err(errors) = catalog.add_own(&folder, &script::check_module) {
            errors.into_iter().for_each(tell);
        }
    }
    Ok(Arc::new(catalog))
}

fn registry(catalog: &Catalog, services: &Services) -> Registry {
    let mut registry = Registry::default();
    nodes::register(&mut registry, services);
    nodes::register_own(&mut registry, catalog);
    registry
}

fn list_nodes(flags: &Flags) -> Result<ExitCode, StartError> {
    let catalog = catalog(&settings(flags)?, &|error| cli::complain(error))?;
    cli::nodes(&catalog, &registry(&catalog, &Services::default()));
    Ok(ExitCode::SUCCESS)
}

fn run(flags: &Flags) -> Result<ExitCode, StartError> {
    let settings = settings(flags)?;
    startup::start_log(settings.log);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.max(2))
        // Values may be nested 500 levels deep, and some are walked level by level.
        .thread_stack_size(8 << 20)
        .enable_all()
        .build()
        .map_err(|error| StartError::Other(format!("the system gives no threads: {error}")))?;
    let outcome = tokio.block_on(serve(settings, flags));
    // What still blocks a thread, such as a look-up of a name, is left behind.
    tokio.shutdown_timeout(Duration::from_millis(100));
    outcome.map(|()| ExitCode::SUCCESS)
}

/// From the settings to the end.
async fn serve(mut settings: Settings, flags: &Flags) -> Result<(), StartError> {
    let access = startup::broker_access(&settings);
    if let Some(broker) = &mut settings.broker {
        broker.access = access;
        startup::allow_connections(broker.max_connections);
    }
    // First whatever can fail, so that a start that fails leaves nothing behind.
    let given = settings
        .flows
        .as_deref()
        .map(startup::read_flows)
        .transpose()?;
    let mut signals = Signals::new().map_err(|error| StartError::Other(error.to_string()))?;
    let http = startup::listen(settings.http, "--http")?;
    let bound = bind_broker(&settings)?;
    let store = open_store(&settings)?;
    let broker = start_broker(&settings, bound)?;
    let contexts = open_contexts(&settings)?;
    let http_address = http
        .local_addr()
        .map_err(|error| startup::address_error(&error, settings.http, "--http"))?;

    let catalog = catalog(&settings, &|error| tracing::error!("{error}"))?;
    let services = Services::new(broker.clone());
    let mut registry = registry(&catalog, &services);
    let bridges = broker
        .clone()
        .map(|broker| Arc::new(Bridges::new(services.mqtt.clone(), broker)));
    if let Some(bridges) = &bridges {
        let built = bridges.set(settings.bridges.clone()).await;
        built.map_err(|error| StartError::Other(error.to_string()))?;
    }
    if settings.tap {
        nodes::register_helper(&mut registry);
    }
    let is_new = store.load()?.is_none() && store.notices().is_empty();
    let process_env = ProcessEnv::with_expressions(Arc::new(Variables::new(contexts.clone())));
    process_env.hide(settings.runtime.env_var_excludes.clone());
    let runtime = Arc::new(Runtime::open(RuntimeConfig {
        catalog,
        registry,
        store,
        process_env,
        settings: settings.runtime.clone(),
        clock: Clock::System,
        expressions: Arc::new(Jsonata),
        contexts,
    })?);
    let mqtt = broker.as_ref().and_then(Broker::address);
    let sample = match mqtt.filter(|_| is_new && settings.sample) {
        Some(address) => Some(startup::first_steps(Some(address.port()))?),
        None => None,
    };

    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let state = ServerState::new(
        runtime.clone(),
        broker.clone(),
        bridges.clone(),
        settings.tap,
        http_address,
        shutdown.clone(),
    );
    let flows = given.or(sample);
    if settings.tap {
        // Who is answered finds the start behind it: the first deploy that it hears of is its own.
        start_flows(&runtime, flows).await;
        tasks.spawn(server::serve(http, state));
        cli::say(Banner::new(&settings, http_address, mqtt));
    } else {
        tasks.spawn(server::serve(http, state));
        cli::say(Banner::new(&settings, http_address, mqtt));
        start_flows(&runtime, flows).await;
    }

    while signals.next().await == Signal::Reload {
        reload(flags, broker.as_ref(), bridges.as_deref()).await;
    }
    tokio::select! {
        () = stop(&runtime, broker.as_ref(), bridges.as_deref(), &tasks, &shutdown) => {}
        _ = signals.next() => tracing::warn!("Stopped at once by a second signal"),
    }
    Ok(())
}

/// Takes the broker's places; none when it is off.
fn bind_broker(settings: &Settings) -> Result<Option<BoundListeners>, StartError> {
    let config = settings.broker.as_ref();
    let bound = config.map(|config| BoundListeners::bind(config.listeners.clone()));
    bound
        .transpose()
        .map_err(|error| startup::broker_error(error.into()))
}

/// Serves at these places. With `--tap` nothing outlives the process.
fn start_broker(
    settings: &Settings,
    bound: Option<BoundListeners>,
) -> Result<Option<Broker>, StartError> {
    let (Some(config), Some(bound)) = (settings.broker.clone(), bound) else {
        return Ok(None);
    };
    let store = match settings.tap {
        true => None,
        false => Some(BrokerStore::open(&settings.data)?),
    };
    for notice in store.iter().flat_map(|(store, _)| store.notices()) {
        tracing::warn!("{notice}");
    }
    let started = Broker::open(config, bound, store);
    started.map(Some).map_err(startup::broker_error)
}

/// Reads the settings anew, and makes of them what can change while Flowrill runs: all of it or nothing.
async fn reload(flags: &Flags, broker: Option<&Broker>, bridges: Option<&Bridges>) {
    let change = async {
        let settings = settings(flags)?;
        let (Some(broker), Some(bridges), Some(config)) = (broker, bridges, &settings.broker)
        else {
            return Ok(());
        };
        let other = |error: &dyn std::fmt::Display| StartError::Other(error.to_string());
        Bridges::check(&settings.bridges).map_err(|error| other(&error))?;
        broker
            .set_listeners(config.listeners.clone())
            .map_err(|error| other(&error))?;
        let changed = bridges.set(settings.bridges.clone()).await;
        changed.map_err(|error| other(&error))?;
        broker.set_access(startup::broker_access(&settings));
        Ok::<(), StartError>(())
    };
    match change.await {
        Ok(()) => tracing::info!("The settings were read anew"),
        Err(error) => tracing::error!("The settings stay as they were. {error}"),
    }
}

fn open_store(settings: &Settings) -> Result<Box<dyn FlowStore>, StartError> {
    if settings.tap {
        return Ok(Box::<MemoryFlowStore>::default());
    }
    let store = DiskFlowStore::open(DataFolder::open(&settings.data)?)?;
    for notice in store.notices() {
        tracing::warn!("{notice}");
    }
    Ok(Box::new(store))
}

/// With `--tap` nothing outlives the process.
fn open_contexts(settings: &Settings) -> Result<Arc<Contexts>, StartError> {
    let place = match settings.tap {
        true => Place::Temporary,
        false => Place::Data(&settings.data),
    };
    let (stores, notices) = settings.context.open(place)?;
    for notice in notices {
        tracing::warn!("{notice}");
    }
    Ok(Arc::new(Contexts::with(stores)))
}

async fn start_flows(runtime: &Runtime, flows: Option<Flows>) {
    if let Some(flows) = flows {
        match runtime.deploy(Deploy::full(flows)).await {
            Ok(_) => return,
            Err(error) => tracing::error!("{error}"),
        }
    }
    runtime.start().await;
}

/// Flows first, for they still use all the rest.
async fn stop(
    runtime: &Runtime,
    broker: Option<&Broker>,
    bridges: Option<&Bridges>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) {
    tracing::info!("Stopping");
    runtime.stop().await;
    let contexts = runtime.engine().contexts().clone();
    let written = tokio::task::spawn_blocking(move || contexts.flush());
    if tokio::time::timeout(CONTEXT_LIMIT, written).await.is_err() {
        tracing::warn!("The context could not be written in time: its last changes may be lost");
    }
    shutdown.cancel();
    tasks.close();
    let rest = async {
        let broker = async {
            if let Some(bridges) = bridges {
                bridges.stop().await;
            }
            if let Some(broker) = broker {
                broker.stop().await;
            }
        };
        tokio::join!(broker, tasks.wait())
    };
    if tokio::time::timeout(LAST_STEPS, rest).await.is_err() {
        tracing::warn!("Some connections did not end in time and were cut");
    }
}
