import { type Sound, sampleBytes } from "../../../contract/pack.ts"
import { sampleAt } from "../../../contract/samples.ts"

/** Characters of a text that a row shows, and stretches of a sound. */
const CHARACTERS = 160
const PEAKS = 48
/** Samples looked at in each stretch: enough for the eye. */
const LOOKS = 100

/** The words where a text's given beginning ends, with some whole ones before. */
export function excerptOf(bytes: Uint8Array, given: number): string {
  const from = Math.max(0, given - CHARACTERS / 2)
  const all = new TextDecoder().decode(bytes.subarray(from, given + 2 * CHARACTERS)).replace(/\uFFFD/g, "")
  // The first word may be the half of one; a text without spaces is cut where it is.
  const words = from > 0 ? all.replace(/^\S{1,40}\s+/, "") : all
  return words.replace(/\s+/g, " ").trim().slice(0, CHARACTERS)
}

/** The loudest sample of each of some stretches of a sound. */
export function peaksOf(bytes: Uint8Array, sound: Sound): number[] {
  const samples = Math.floor(bytes.length / sampleBytes(sound))
  return Array.from({ length: PEAKS }, (_, i) => {
    const [from, to] = [Math.floor((i * samples) / PEAKS), Math.floor(((i + 1) * samples) / PEAKS)]
    const stride = Math.max(1, Math.floor((to - from) / LOOKS))
    let peak = 0
    for (let s = from; s < to; s += stride) peak = Math.max(peak, Math.abs(sampleAt(bytes, s, sound)))
    return Math.round(100 * peak) / 100
  })
}
