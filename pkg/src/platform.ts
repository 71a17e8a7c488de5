/**
 * Types of the platform, where the compiler knows them. A program for Node alone is compiled without those of a
 * browser, and must be able to use this package all the same.
 */

/** The platform's own type of this name, else the other one. */
type Known<Name extends string, Otherwise> = typeof globalThis extends Record<Name, { prototype: infer Kind }> ? Kind : Otherwise;

/** `Worker`, where the compiler knows it. */
export type PlatformWorker = Known<"Worker", { postMessage(message: unknown): void; terminate(): unknown }>;
/** `AbortSignal`, where the compiler knows it. */
export type PlatformSignal = Known<"AbortSignal", { readonly aborted: boolean; readonly reason: unknown; throwIfAborted(): void }>;
/** `URL`, where the compiler knows it. */
export type PlatformURL = Known<"URL", { readonly href: string }>;
/** `Blob`, where the compiler knows it. */
export type PlatformBlob = Known<"Blob", { readonly size: number; arrayBuffer(): Promise<ArrayBuffer> }>;
/** `Response`, where the compiler knows it. */
export type PlatformResponse = Known<"Response", { readonly ok: boolean; arrayBuffer(): Promise<ArrayBuffer> }>;
/** `WebAssembly.Module`, where the compiler knows it. */
export type PlatformModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Kind } } } ? Kind : object;
