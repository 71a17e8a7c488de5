//! The one backend of this module.

use burn::tensor::Device;

use crate::fault::Fault;

/// What computes, by the name the package has for it.
#[cfg(not(feature = "webgpu"))]
pub const BACKEND: &str = "cpu";
/// What computes, by the name the package has for it.
#[cfg(feature = "webgpu")]
pub const BACKEND: &str = "webgpu";

/// Makes the device ready.
///
/// # Errors
/// None: there is always a processor.
#[cfg(not(feature = "webgpu"))]
pub async fn open() -> Result<Device, Fault> {
    Ok(Device::flex())
}

/// Makes the device ready, once; later calls give the same one.
///
/// # Errors
/// If there is no adapter, or it gives no device.
#[cfg(feature = "webgpu")]
pub async fn open() -> Result<Device, Fault> {
    use std::sync::OnceLock;
    static OPENED: OnceLock<Device> = OnceLock::new();
    if let Some(device) = OPENED.get() {
        return Ok(device.clone());
    }
    let (device, setup) =
        Device::wgpu_options().init_with_setup_async().await.map_err(|error| Fault {
            code: "no-webgpu",
            message: format!("WebGPU gave no device: {error}"),
            hint: "Compute on the CPU, which is slower for large models but always works.",
        })?;
    setup.device.set_device_lost_callback(|reason, message| {
        let _ = LOST.set(format!("{reason:?}: {message}"));
    });
    Ok(OPENED.get_or_init(|| device).clone())
}

/// Why the device went away, once it has.
#[cfg(feature = "webgpu")]
pub fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Why the device went away: a processor does not.
#[cfg(not(feature = "webgpu"))]
pub fn lost() -> Option<&'static str> {
    None
}

#[cfg(feature = "webgpu")]
static LOST: std::sync::OnceLock<String> = std::sync::OnceLock::new();
