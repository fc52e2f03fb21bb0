import type { Settings } from "./app.ts"
import { toInt16 } from "./samples.ts"

/** A 16-bit mono WAV of samples in -1..1; `settings` go into a comment (RIFF INFO, ICMT). For hosts and windows alike. */
export function writeWav(samples: Float32Array, rate: number, settings?: Settings): Uint8Array<ArrayBuffer> {
  const format = new DataView(new ArrayBuffer(16))
  format.setUint16(0, 1, true) // PCM
  format.setUint16(2, 1, true)
  format.setUint32(4, rate, true)
  format.setUint32(8, rate * 2, true)
  format.setUint16(12, 2, true)
  format.setUint16(14, 16, true)
  const data = new Uint8Array(Int16Array.from(samples, toInt16).buffer)
  const list = settings ? [chunk("LIST", [text("INFO"), chunk("ICMT", [text(`${JSON.stringify(settings)}\0`)])])] : []
  return chunk("RIFF", [text("WAVE"), chunk("fmt ", [new Uint8Array(format.buffer)]), ...list, chunk("data", [data])])
}

const text = (s: string) => new TextEncoder().encode(s)

/** Name, length, data, and a byte more where the length is odd. */
function chunk(id: string, parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const whole = new Uint8Array(8 + length + (length % 2))
  whole.set(text(id))
  new DataView(whole.buffer).setUint32(4, length, true)
  let at = 8
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
