//! Requests and replies as JavaScript values. Nothing is decided here.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use js_sys::{Function, Promise};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::device;
use crate::drive::drive;
use crate::fault::Fault;
use crate::guest::{self, Answering, Declared, Host};
use crate::session::{Create, Request, Session};

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

/// A world in JavaScript.
struct JsHost {
    /// From a text to a text, or to a promise of one.
    ask: Function,
    /// From a text to a text.
    teach: Option<Function>,
}

impl Host for JsHost {
    fn ask(&self, message: String) -> Answering {
        let asked = self.ask.call1(&JsValue::NULL, &JsValue::from_str(&message));
        Box::pin(async move {
            let answer = asked.map_err(|thrown| sentence(&thrown))?;
            let answer = match answer.dyn_into::<Promise>() {
                Ok(promise) => JsFuture::from(promise).await.map_err(|thrown| sentence(&thrown))?,
                Err(answer) => answer,
            };
            answer.as_string().ok_or_else(|| "the world gave no text".to_string())
        })
    }

    fn teach(&self, lesson: String) -> Result<String, String> {
        let teach = self.teach.as_ref().ok_or("the world teaches nothing")?;
        let answer = teach.call1(&JsValue::NULL, &JsValue::from_str(&lesson));
        let answer = answer.map_err(|thrown| sentence(&thrown))?;
        answer.as_string().ok_or_else(|| "the world gave no text".to_string())
    }
}

/// What something that was thrown says.
fn sentence(thrown: &JsValue) -> String {
    let message = js_sys::Reflect::get(thrown, &JsValue::from_str("message"));
    let message = message.ok().and_then(|message| message.as_string());
    message.or_else(|| thrown.as_string()).unwrap_or_else(|| format!("{thrown:?}"))
}

/// Makes a world known, and gives its number. `declared` is JSON ([`Declared`]), `ask` answers the
/// messages of a learner, `teach` its lessons.
#[wasm_bindgen(js_name = registerWorld)]
pub fn register_world(
    declared: &str,
    ask: Function,
    teach: Option<Function>,
) -> Result<f64, JsValue> {
    let declared: Declared = read(declared)?;
    let number = guest::register(declared, Rc::new(JsHost { ask, teach }));
    // Far below 2^53: they count the worlds and games of a page.
    number.map(|number| number as f64).map_err(|error| thrown(error.into()))
}

/// Forgets a world; who learns in it goes on.
#[wasm_bindgen(js_name = releaseWorld)]
pub fn release_world(number: f64) {
    guest::release(number as u64);
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

    /// A fresh agent, described by JSON ([`Create`]).
    pub async fn create(spec: String) -> Result<WasmSession, JsValue> {
        start();
        let create: Create = read(&spec)?;
        let device = device::open().await.map_err(thrown)?;
        let session = Session::create(create, device).await.map_err(thrown)?;
        Ok(WasmSession(session.into()))
    }

    /// Answers one request, given as JSON. `observe` is called with the text of a question as it grows. `rest` is
    /// called at each yield of the work: it returns nothing, or a promise of whether to go on; work
    /// that is given up changes nothing and replies undefined.
    pub async fn call(
        &self,
        request: String,
        observe: Option<Function>,
        rest: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let request: Request = read(&request)?;
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

/// Reads what the package sends as JSON.
fn read<T: DeserializeOwned>(json: &str) -> Result<T, JsValue> {
    serde_json::from_str(json).map_err(|error| {
        let message = format!("the request cannot be read: {error}");
        thrown(Fault::usage(message, "Compare it with the package's types."))
    })
}

fn thrown(fault: Fault) -> JsValue {
    to_js(&fault)
}

fn to_js(value: &impl Serialize) -> JsValue {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&plain).unwrap_or_else(|error| JsValue::from_str(&error.to_string()))
}
