/** The canonical form of sound: what both the host and the windows must read alike. */

import constants from "./constants.json" with { type: "json" }

/** How samples are written: a byte each on the mu-law curve or linear (128 is silence), or 16-bit little-endian. */
export type Encoded = { encoding: "mu-law" | "linear-8" | "pcm16" }

/** Bytes of one sample. */
export const sampleBytes = ({ encoding }: Encoded) => (encoding === "pcm16" ? 2 : 1)

const { silence, mu: MU } = constants.samples
/** The byte of silence, on the curve and linear. */
export const SILENCE = silence
const LOG = Math.log1p(MU)

/** Samples in -1..1 as canonical bytes. Mu-law bytes are amounts on G.711's curve: 0 lowest, 128 silence, 255 highest. */
export function encodeSamples(samples: Float32Array, { encoding }: Encoded): Uint8Array<ArrayBuffer> {
  if (encoding === "pcm16") {
    const pcm = Int16Array.from(samples, toInt16)
    return new Uint8Array(pcm.buffer)
  }
  if (encoding === "linear-8")
    return Uint8Array.from(samples, (x) => Math.max(0, Math.min(255, SILENCE + Math.round(x * 128))))
  return Uint8Array.from(samples, byteOf)
}

/** The mu-law byte of a sample. */
export function byteOf(sample: number): number {
  const x = Math.max(-1, Math.min(1, sample))
  const curve = (Math.sign(x) * Math.log1p(MU * Math.abs(x))) / LOG
  return Math.floor(((curve + 1) / 2) * 255 + 0.5)
}

/** The sample at a place of G.711's curve, both in -1..1. */
const expand = (curve: number) => (Math.sign(curve) * Math.expm1(Math.abs(curve) * LOG)) / MU

/** The sample of each mu-law byte; 128 is exactly silence, so that silence stays silent however often it goes around. */
export const MU_LAW = Float64Array.from({ length: 256 }, (_, byte) =>
  expand(byte === SILENCE ? 0 : (byte / 255) * 2 - 1),
)

/** The least sample that `byteOf` turns into each byte from 1 on. */
export const MU_LAW_BEGINS = Float64Array.from({ length: 255 }, (_, i) => expand((2 * (i + 0.5)) / 255 - 1))

/** The samples at which bytes 0..255 begin and, last, 255 ends; the outermost ends far outside. */
export const MU_LAW_EDGES = Float64Array.of(-1e4, ...MU_LAW_BEGINS, 1e4)

/** Sample `i` of canonical bytes, in -1..1. */
export function sampleAt(bytes: Uint8Array, i: number, { encoding }: Encoded): number {
  if (encoding === "mu-law") return MU_LAW[bytes[i] as number] as number
  if (encoding === "linear-8") return ((bytes[i] as number) - SILENCE) / 128
  // Shifted up and down again for the sign.
  return ((((bytes[2 * i + 1] as number) << 24) >> 16) | (bytes[2 * i] as number)) / 32768
}

/** Canonical bytes as samples in -1..1; a last half sample is left out. */
export function decodeSamples(bytes: Uint8Array, sound: Encoded): Float32Array {
  const length = Math.floor(bytes.length / sampleBytes(sound))
  return Float32Array.from({ length }, (_, i) => sampleAt(bytes, i, sound))
}

/** A sample in -1..1 as a 16-bit number. */
export const toInt16 = (x: number) => Math.max(-32768, Math.min(32767, Math.round(x * 32768)))
