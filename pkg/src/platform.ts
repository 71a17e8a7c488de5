/**
 * Types of the platform, where the compiler knows them. A program for Node alone is compiled without those of a
 * browser, and must be able to use this package all the same.
 */
type Known<Name extends string, Otherwise> = typeof globalThis extends Record<Name, { prototype: infer Kind }> ? Kind : Otherwise;

export type PlatformWorker = Known<"Worker", { postMessage(message: unknown): void; terminate(): unknown }>;
export type PlatformSignal = Known<"AbortSignal", { readonly aborted: boolean; readonly reason: unknown; throwIfAborted(): void }>;
export type PlatformURL = Known<"URL", { readonly href: string }>;
export type PlatformBlob = Known<"Blob", { readonly size: number; arrayBuffer(): Promise<ArrayBuffer> }>;
export type PlatformResponse = Known<"Response", { readonly ok: boolean; arrayBuffer(): Promise<ArrayBuffer> }>;
export type PlatformModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Kind } } } ? Kind : object;
