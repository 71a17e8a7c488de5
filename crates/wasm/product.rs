//! Matrix products for the browser's CPU module, as a module of their own on that one's memory.
//!
//! Built twice by `build.rs`: with multiply-add in one instruction (relaxed SIMD), which not every
//! browser has, and without. `src/product.rs` loads the one that fits. It holds no data and keeps
//! everything in registers, for the memory with the stack in it belongs to the other module.
#![no_std]

#[path = "product/loops.rs"]
pub mod loops;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
