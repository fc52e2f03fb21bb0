import { z } from "zod"

/** Bytes and numbers as they cross from one process to another: as they are. */
export const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "not bytes")
export const numbers = z.custom<Float32Array>((value) => value instanceof Float32Array, "not numbers")
