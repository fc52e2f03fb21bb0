import type { Sound } from "./pack.ts"

/** The canonical form of sound: what both the host and the windows must read alike. */

const MU = 255
const LOG = Math.log1p(MU)

/** Samples in -1..1 as canonical bytes. Mu-law bytes are amounts on G.711's curve: 0 lowest, 128 silence, 255 highest. */
export function encodeSamples(samples: Float32Array, { encoding }: Sound): Uint8Array<ArrayBuffer> {
  if (encoding === "pcm16") {
    const pcm = Int16Array.from(samples, toInt16)
    return new Uint8Array(pcm.buffer)
  }
  return Uint8Array.from(samples, (sample) => {
    const x = Math.max(-1, Math.min(1, sample))
    const curve = (Math.sign(x) * Math.log1p(MU * Math.abs(x))) / LOG
    return Math.floor(((curve + 1) / 2) * 255 + 0.5)
  })
}

/** Canonical bytes as samples in -1..1; a last half sample is left out. */
export function decodeSamples(bytes: Uint8Array, { encoding }: Sound): Float32Array {
  if (encoding === "pcm16") {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => view.getInt16(2 * i, true) / 32768)
  }
  return Float32Array.from(bytes, (byte) => {
    // 128 is exactly silence, so that silence stays silent however often it goes around.
    const curve = byte === 128 ? 0 : (byte / 255) * 2 - 1
    return (Math.sign(curve) * Math.expm1(Math.abs(curve) * LOG)) / MU
  })
}

/** A sample in -1..1 as a 16-bit number. */
export const toInt16 = (x: number) => Math.max(-32768, Math.min(32767, Math.round(x * 32768)))
