//! Where the tensors live: from a name on the command line to a device that works.
//!
//! Which backends there are is decided by cargo features, which of them is used by `--device`. A
//! device is tried with a small sum before anything is trusted to it, in a thread of its own,
//! because some drivers answer a missing library by a panic and some by silence.

mod adapters;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use archer::parallel;
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::args;
use crate::error::Error;
use crate::experiment::did_you_mean;
use crate::ranks;

use adapters::{Adapter, Kind};

/// A backend, whether or not this build has it.
#[derive(Debug, Clone, Copy)]
struct Backend {
    /// Its name for `--device`, and the cargo feature that builds it.
    name: &'static str,
    /// Whether this build has it.
    built: bool,
    /// What it runs on.
    about: &'static str,
}

/// All backends; `auto` tries them in this order.
const BACKENDS: [Backend; 5] = [
    Backend { name: "cuda", built: cfg!(feature = "cuda"), about: "NVIDIA GPUs" },
    Backend {
        name: "wgpu",
        built: cfg!(feature = "wgpu"),
        about: "GPUs by Vulkan, Metal or DirectX",
    },
    Backend { name: "flex", built: true, about: "the CPU" },
    Backend {
        name: "ndarray",
        built: cfg!(feature = "ndarray"),
        about: "the CPU, by burn's older backend",
    },
    Backend {
        name: "remote",
        built: cfg!(feature = "remote"),
        about: "a device that another process serves",
    },
];

/// How long a device may take for its first sum: a GPU compiles its kernels then.
const PATIENCE: Duration = Duration::from_secs(60);

/// A device that has proved itself.
pub struct Opened {
    /// The device.
    pub device: Device,
    /// What to call it: the name for `--device` that leads here.
    pub name: String,
    /// Threads that may share the work: the cores of a CPU, one for anything else.
    pub threads: usize,
}

impl Opened {
    fn new(device: Device, name: &str) -> Opened {
        let mut opened = Opened { device, name: name.to_string(), threads: 1 };
        if opened.is_cpu() {
            opened.threads = thread::available_parallelism().map_or(1, usize::from);
        }
        opened
    }

    fn is_cpu(&self) -> bool {
        matches!(self.name.as_str(), "flex" | "ndarray")
    }
}

/// Opens the device that the flags name, for as many threads as they say.
pub fn open_for(compute: &args::Compute) -> Result<Opened, Error> {
    let opened = open(&of_rank(&compute.device))?;
    let opened = match compute.threads {
        None => Opened { threads: ranks::own_cores(opened.threads), ..opened },
        // Elsewhere the device itself shares the work out.
        Some(threads) if opened.is_cpu() => Opened { threads, ..opened },
        Some(_) => {
            return Err(Error::Usage(format!(
                "--threads is for a CPU, and {} is none: leave it out, or add --device flex",
                opened.name
            )));
        }
    };
    parallel::share_products(opened.threads);
    Ok(opened)
}

/// The device of this process among those of its machine: `cuda:RANK` is `cuda:0`, `cuda:1`, …
fn of_rank(name: &str) -> String {
    match name.strip_suffix(":RANK") {
        Some(kind) => format!("{kind}:{}", ranks::local_rank()),
        None => name.to_string(),
    }
}

/// Opens the device that `--device` names.
pub fn open(name: &str) -> Result<Opened, Error> {
    if name == "auto" {
        return auto();
    }
    let (kind, rest) = match name.split_once(':') {
        Some((kind, rest)) => (kind, Some(rest)),
        None => (name, None),
    };
    let Some(backend) = BACKENDS.iter().find(|backend| backend.name == kind) else {
        let names = BACKENDS.map(|backend| backend.name);
        return Err(Error::Usage(format!(
            "there is no device {name}{}; choose auto, {}, with a number after a colon for the \
             second and later GPUs, as in cuda:1",
            did_you_mean(kind, &names),
            names.join(", ")
        )));
    };
    if !backend.built {
        return Err(Error::Usage(missing(backend.name)));
    }
    let device = connect(backend.name, rest)?;
    prove(&device).map_err(|why| {
        Error::Failure(format!(
            "the device {name} does not work here: {why}; archer doctor shows which do"
        ))
    })?;
    Ok(Opened::new(device, name))
}

/// The first GPU that works, else the CPU.
fn auto() -> Result<Opened, Error> {
    choose().0.ok_or_else(|| {
        Error::Failure("no device works here, not even the CPU; archer doctor says why".into())
    })
}

/// What `auto` takes, and what it passed over before, each with the reason.
fn choose() -> (Option<Opened>, Vec<(&'static str, String)>) {
    let mut passed = Vec::new();
    for backend in BACKENDS.iter().filter(|backend| backend.name != "remote") {
        if !backend.built {
            passed.push((backend.name, "it is not in this build".to_string()));
            continue;
        }
        // A software GPU works but is slower than the CPU backend, so for `auto` it must be a
        // real one.
        let candidates: &[Option<&str>] = match backend.name {
            "wgpu" => &[Some("discrete"), Some("integrated")],
            _ => &[None],
        };
        let mut why = "it does not work here".to_string();
        for rest in candidates {
            let tried = connect(backend.name, *rest).map_err(Error::plain);
            match tried.and_then(|device| prove(&device).map(|()| device)) {
                Ok(device) => return (Some(Opened::new(device, backend.name)), passed),
                Err(fault) => why = fault,
            }
        }
        let software = backend.name == "wgpu" && only_software(&adapters::list());
        if software {
            why = "it finds no card, and what computes on the CPU by a detour is slower than flex"
                .to_string();
        }
        passed.push((backend.name, why));
    }
    (None, passed)
}

/// Whether there are adapters, and none of them is more than a program.
fn only_software(adapters: &[Adapter]) -> bool {
    !adapters.is_empty() && adapters.iter().all(|adapter| adapter.kind == Kind::Software)
}

/// What `--device auto` takes here.
#[derive(Debug, Serialize)]
pub struct Choice {
    /// The device, if any works.
    pub device: Option<String>,
    /// What would have come before it, each with the reason why it was not taken.
    pub passed_over: Vec<PassedOver>,
}

/// A device that was not taken.
#[derive(Debug, Serialize)]
pub struct PassedOver {
    /// Its name.
    pub device: &'static str,
    /// Why not.
    pub reason: String,
}

/// Asks `auto`.
pub fn choice() -> Choice {
    let (chosen, passed) = choose();
    let passed_over = passed.into_iter().map(|(device, reason)| PassedOver { device, reason });
    Choice { device: chosen.map(|opened| opened.name), passed_over: passed_over.collect() }
}

/// What to do for a backend that was left out of this build.
fn missing(name: &str) -> String {
    format!("this build has no {name}: rebuild with cargo run --release --features {name}")
}

/// Makes the device; `rest` is what stood after the colon.
fn connect(backend: &str, rest: Option<&str>) -> Result<Device, Error> {
    match backend {
        "flex" => alone(backend, rest, Device::flex),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)] // it is offered for as long as burn ships it
        "ndarray" => alone(backend, rest, Device::ndarray),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(index(backend, rest)?)),
        #[cfg(feature = "wgpu")]
        "wgpu" => connect_wgpu(rest),
        #[cfg(feature = "remote")]
        "remote" => connect_remote(rest),
        _ => Err(Error::Usage(missing(backend))),
    }
}

/// A backend of which there is one.
fn alone(backend: &str, rest: Option<&str>, make: fn() -> Device) -> Result<Device, Error> {
    match rest {
        None => Ok(make()),
        Some(rest) => {
            Err(Error::Usage(format!("there is only one {backend} device: leave out the :{rest}")))
        }
    }
}

#[cfg(any(feature = "cuda", feature = "wgpu"))]
fn index(backend: &str, rest: Option<&str>) -> Result<usize, Error> {
    rest.map_or(Ok(0), str::parse).map_err(|_| {
        Error::Usage(format!(
            "{backend}:{} is not a device: write a number after the colon, as in {backend}:1",
            rest.unwrap_or_default()
        ))
    })
}

#[cfg(feature = "wgpu")]
fn connect_wgpu(rest: Option<&str>) -> Result<Device, Error> {
    use burn::tensor::DeviceKind;
    let kind = match rest {
        None => DeviceKind::DefaultDevice,
        Some("discrete") => DeviceKind::DiscreteGpu(0),
        Some("integrated") => DeviceKind::IntegratedGpu(0),
        Some(_) => DeviceKind::DiscreteGpu(index("wgpu", rest)?),
    };
    let options = Device::wgpu_options().device_kind(kind);
    options.init().map_err(|why| {
        // What follows the bracket is a dump of every adapter.
        let why = why.to_string();
        let why = why.split(", adapters [").next().unwrap_or_default();
        // NVIDIA's driver offers nothing, and says nothing, where the last of these is missing.
        let hint = if cfg!(target_os = "linux") {
            "on Linux it needs a driver for Vulkan, libvulkan1 and, for NVIDIA's, libegl1; else "
        } else {
            ""
        };
        Error::Failure(format!(
            "the device wgpu does not work here: {why}; {hint}try --device flex"
        ))
    })
}

#[cfg(feature = "remote")]
fn connect_remote(rest: Option<&str>) -> Result<Device, Error> {
    use burn::tensor::remote::RemoteHost;
    let Some(address) = rest else {
        return Err(Error::Usage(
            "a remote device needs its address, as in --device remote:ws://gpu:3000".to_string(),
        ));
    };
    Device::remote_options(&RemoteHost::websocket(address)).init().map_err(|why| {
        Error::Failure(format!("the remote device at {address} cannot be reached: {why}"))
    })
}

/// Adds two numbers on the device, and says why not where that fails.
fn prove(device: &Device) -> Result<(), String> {
    let device = device.clone();
    let (send, receive) = mpsc::channel();
    // A driver's panic is an answer here and not a bug to be told about.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let worker = thread::spawn(move || {
        let x = Tensor::<1>::from_floats([1.0, 2.0], &device);
        let sum = (x.clone() + x).into_data();
        let right = sum.try_to_vec::<f32>().is_ok_and(|sum| sum == [2.0, 4.0]);
        let _ = send.send(right);
    });
    let answer = receive.recv_timeout(PATIENCE);
    let result = match answer {
        Ok(true) => Ok(()),
        Ok(false) => Err("it computed 1 + 1 wrongly".to_string()),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(format!("it did not answer within {} seconds", PATIENCE.as_secs()))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(match worker.join() {
            Err(panic) => panic_text(panic.as_ref()),
            Ok(()) => "it ended without an answer".to_string(),
        }),
    };
    std::panic::set_hook(hook);
    result
}

/// The first line of what a panic said.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("its driver failed");
    text.lines().next().unwrap_or_default().trim_end_matches('.').to_string()
}

/// What is true of one backend here.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Its name for `--device`.
    pub device: &'static str,
    /// What it runs on.
    pub about: &'static str,
    /// The cargo feature that builds it; none for the one that is always there.
    pub feature: Option<&'static str>,
    /// Whether this build has it.
    pub built: bool,
    /// Whether it works here; unknown of a remote device, which needs an address.
    pub works: Option<bool>,
    /// Why it does not, and what to do.
    pub reason: Option<String>,
    /// The graphics adapters that it sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adapters: Vec<Adapter>,
}

impl Finding {
    /// Whether it works by nothing but a program that plays a card on the CPU.
    pub fn is_software(&self) -> bool {
        self.works == Some(true) && only_software(&self.adapters)
    }
}

/// Tries every backend.
pub fn survey() -> Vec<Finding> {
    BACKENDS.iter().map(examine).collect()
}

fn examine(backend: &Backend) -> Finding {
    let tried = match (backend.built, backend.name) {
        (false, name) => Some(Err(missing(name))),
        (true, "remote") => None,
        (true, name) => {
            Some(connect(name, None).map_err(Error::plain).and_then(|device| prove(&device)))
        }
    };
    let adapters = match backend.name == "wgpu" && backend.built {
        true => adapters::list(),
        false => Vec::new(),
    };
    Finding {
        device: backend.name,
        adapters,
        about: backend.about,
        feature: (backend.name != "flex").then_some(backend.name),
        built: backend.built,
        works: tried.as_ref().map(Result::is_ok),
        reason: match tried {
            None => Some("give its address: --device remote:ws://gpu:3000".to_string()),
            Some(Err(why)) => Some(why),
            Some(Ok(())) => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there() {
        assert_eq!(open("flex").unwrap().name, "flex");
        assert!(open("auto").is_ok());
    }

    #[test]
    fn threads_are_as_many_as_were_asked_for() {
        let threads = |threads| {
            let compute = args::Compute { threads, ..args::Compute::default() };
            open_for(&args::Compute { device: "flex".to_string(), ..compute }).unwrap().threads
        };
        assert_eq!(threads(Some(3)), 3);
        assert_eq!(Some(threads(None)), thread::available_parallelism().ok().map(usize::from));
    }

    #[test]
    fn a_device_that_cannot_be_says_what_can() {
        let fault = |name: &str| open(name).err().unwrap().to_string();
        assert!(fault("flx").contains("did you mean flex?"), "{}", fault("flx"));
        assert!(fault("tpu").contains("choose auto, cuda, wgpu, flex, ndarray, remote"));
        assert!(fault("flex:1").contains("leave out the :1"));
        if !cfg!(feature = "wgpu") {
            assert!(fault("wgpu").contains("cargo run --release --features wgpu"));
        }
    }
}
