//! The graphics adapters that wgpu sees, and which of them are cards: a driver that computes on the CPU
//! calls itself an adapter too, and is slower than the CPU's own backend.

use std::fmt;

use serde::Serialize;

/// What an adapter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(feature = "wgpu"), allow(dead_code, reason = "nobody lists adapters in this build"))]
pub enum Kind {
    /// A card with memory of its own.
    Card,
    /// A part of the processor, which shares its memory.
    Integrated,
    /// A part of a card, lent to a virtual machine.
    Virtual,
    /// A program that plays one on the CPU.
    Software,
    /// Its driver does not say.
    Unknown,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Card => "a card",
            Kind::Integrated => "integrated graphics",
            Kind::Virtual => "a virtual card",
            Kind::Software => "software on the CPU",
            Kind::Unknown => "of unknown kind",
        })
    }
}

/// An adapter that wgpu sees.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Adapter {
    /// As its driver calls it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The driver and its version.
    pub driver: String,
    /// The interface that it is reached by, such as Vulkan.
    pub interface: String,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, by {})", self.name, self.kind, self.interface)
    }
}

/// Names by which programs that play an adapter go, in small letters.
#[cfg(any(feature = "wgpu", test))]
const SOFTWARE: [&str; 7] = [
    "llvmpipe",
    "lavapipe",
    "softpipe",
    "swiftshader",
    "software rasterizer",
    "basic render driver",
    "software adapter",
];

/// The kind that a driver reports, unless its names say that it is software: some report another kind.
#[cfg(any(feature = "wgpu", test))]
fn believed(reported: Kind, name: &str, driver: &str) -> Kind {
    let names = format!("{name} {driver}").to_lowercase();
    match SOFTWARE.iter().any(|software| names.contains(software)) {
        true => Kind::Software,
        false => reported,
    }
}

/// All that wgpu sees; none in a build without it.
#[cfg(not(feature = "wgpu"))]
pub fn list() -> Vec<Adapter> {
    Vec::new()
}

/// All that wgpu sees; none in a build without it.
#[cfg(feature = "wgpu")]
pub fn list() -> Vec<Adapter> {
    use wgpu::{Backends, DeviceType, Instance};
    let found = pollster::block_on(Instance::default().enumerate_adapters(Backends::all()));
    let adapter = |adapter: wgpu::Adapter| {
        let info = adapter.get_info();
        let reported = match info.device_type {
            DeviceType::DiscreteGpu => Kind::Card,
            DeviceType::IntegratedGpu => Kind::Integrated,
            DeviceType::VirtualGpu => Kind::Virtual,
            DeviceType::Cpu => Kind::Software,
            DeviceType::Other => Kind::Unknown,
        };
        Adapter {
            kind: believed(reported, &info.name, &info.driver),
            name: info.name,
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
            interface: format!("{:?}", info.backend),
        }
    };
    found.into_iter().map(adapter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_plays_a_card_is_none_whatever_it_reports() {
        for (reported, name, driver, kind) in [
            (Kind::Card, "NVIDIA H200", "NVIDIA", Kind::Card),
            (Kind::Integrated, "Intel(R) UHD Graphics 620", "Intel", Kind::Integrated),
            (Kind::Software, "llvmpipe (LLVM 15.0.7, 256 bits)", "llvmpipe", Kind::Software),
            (Kind::Unknown, "llvmpipe (LLVM 15.0.7, 256 bits)", "Mesa", Kind::Software),
            (Kind::Integrated, "SwiftShader Device (Subzero)", "", Kind::Software),
            (Kind::Virtual, "Virtio-GPU", "lavapipe", Kind::Software),
            (Kind::Card, "Microsoft Basic Render Driver", "", Kind::Software),
            (Kind::Virtual, "Virtio-GPU Venus (NVIDIA)", "venus", Kind::Virtual),
        ] {
            assert_eq!(believed(reported, name, driver), kind, "{name}");
        }
    }
}
