//! Requests and replies as JavaScript values. Nothing is decided here.

use std::cell::RefCell;
use std::sync::OnceLock;

use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::device;
use crate::drive::drive;
use crate::fault::Fault;
use crate::session::{Request, Session};

thread_local! {
    /// What the last panic said: a trap tells JavaScript nothing.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Done once, before anything else.
#[wasm_bindgen(start)]
pub fn start() {
    products();
}

/// Gets the module ready, once. Who multiplies matrices: `relaxed`, `plain` or `burn`, as
/// `product.rs` has them, and `webgpu`.
#[wasm_bindgen]
pub fn products() -> String {
    static PRODUCTS: OnceLock<&str> = OnceLock::new();
    let get_ready = || {
        run_constructors();
        std::panic::set_hook(Box::new(|info| PANIC.set(info.to_string())));
        load_products()
    };
    PRODUCTS.get_or_init(get_ready).to_string()
}

#[cfg(not(feature = "webgpu"))]
fn load_products() -> &'static str {
    crate::product::start()
}

#[cfg(feature = "webgpu")]
fn load_products() -> &'static str {
    device::BACKEND
}

/// Runs the module's static constructors here and now.
///
/// The WebGPU backend registers its operations in constructors. Where nothing in a module calls
/// them, the linker takes it for a command and wraps every export, so that each call from
/// JavaScript runs them all again, for seconds.
#[cfg(feature = "webgpu")]
#[allow(unsafe_code, reason = "the linker makes this function, and no safe name for it exists")]
fn run_constructors() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: called once, before any device is made, as the linker would.
    unsafe { __wasm_call_ctors() }
}

#[cfg(not(feature = "webgpu"))]
fn run_constructors() {}

/// What the last panic said, empty if there was none.
#[wasm_bindgen(js_name = lastPanic)]
pub fn last_panic() -> String {
    PANIC.with_borrow(Clone::clone)
}

/// `cpu` or `webgpu`.
#[wasm_bindgen]
pub fn backend() -> String {
    device::BACKEND.to_string()
}

/// Why the device went away, if it has.
#[wasm_bindgen(js_name = deviceLost)]
pub fn device_lost() -> Option<String> {
    device::lost().map(str::to_string)
}

/// A loaded model. Calls may overlap; those that learn or change the model must not overlap each
/// other.
#[wasm_bindgen]
pub struct WasmSession(RefCell<Session>);

#[wasm_bindgen]
impl WasmSession {
    /// Loads a model file.
    pub async fn load(file: Vec<u8>) -> Result<WasmSession, JsValue> {
        start();
        let device = device::open().await.map_err(thrown)?;
        Session::load(file, device).await.map(|session| WasmSession(session.into())).map_err(thrown)
    }

    /// Answers one request. `observe` is called with the text of a question as it grows. `rest` is
    /// called at each yield of the work: it returns nothing, or a promise of whether to go on; work
    /// that is given up changes nothing and replies undefined.
    pub async fn call(
        &self,
        request: JsValue,
        observe: Option<Function>,
        rest: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let request: Request = serde_wasm_bindgen::from_value(request).map_err(|error| {
            thrown(Fault::usage(
                format!("the request cannot be read: {error}"),
                "Compare it with the package's types.",
            ))
        })?;
        let observe = |text: &str| {
            if let Some(observe) = &observe {
                // A page's own fault must not end the game.
                let _ = observe.call1(&JsValue::NULL, &JsValue::from_str(text));
            }
        };
        let rest = || {
            let answer = rest.as_ref()?.call0(&JsValue::NULL).ok()?;
            let promise = answer.dyn_into::<Promise>().ok()?;
            Some(async { JsFuture::from(promise).await.is_ok_and(|goes_on| goes_on.is_truthy()) })
        };
        let change = request.change();
        let mut session = self.0.borrow().clone();
        let Some(reply) = drive(session.call(request, observe), rest).await else {
            return Ok(JsValue::UNDEFINED);
        };
        let reply = to_js(&reply.map_err(thrown)?);
        self.0.borrow_mut().take_over(session, change);
        Ok(reply)
    }

    /// The model file as it is now.
    pub async fn export(&self, training: bool) -> Result<Vec<u8>, JsValue> {
        let session = self.0.borrow().clone();
        session.export(training).await.map_err(thrown)
    }

    /// Replaces the model.
    pub async fn import(&self, file: Vec<u8>) -> Result<JsValue, JsValue> {
        let mut session = self.0.borrow().clone();
        let info = session.import(file).await.map_err(thrown)?;
        self.0.replace(session);
        Ok(to_js(&info))
    }
}

fn thrown(fault: Fault) -> JsValue {
    to_js(&fault)
}

fn to_js(value: &impl Serialize) -> JsValue {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&plain).unwrap_or_else(|error| JsValue::from_str(&error.to_string()))
}
