import { z } from "zod"
import { decodeSamples, SILENCE, sampleBytes } from "../samples.ts"
import { type ModalityEntry, narrowPresets, styled } from "./modality.ts"

/**
 * Media of an audio pack: mono samples at one rate, a byte each, on the mu-law curve or linear (128 is silence), or two
 * bytes as 16-bit little-endian.
 */
export const Sound = z.object({
  rate: z.int().min(4000).max(48000),
  encoding: z.enum(["mu-law", "linear-8", "pcm16"]),
  /**
   * Level of noise that the model is told its past has while it generates, in the second half of the header: it then mends
   * its own small errors. Without it the header is all style.
   */
  noise: z.int().min(0).max(127).optional(),
  /**
   * What the instruments sound like, for packs that hear notes: of each the first patches of its notes, one after the
   * other, in base64. They count as heard before a tune begins. Styles from 1 on take the instruments in turn.
   */
  instruments: z.array(z.base64()).max(16).optional(),
  ...styled,
})
export type Sound = z.infer<typeof Sound>

/** Bytes of one second of sound. */
export const secondBytes = (sound: Sound) => sound.rate * sampleBytes(sound)

/** How far from its mean a sound is not heard, and the share of its samples that may be further away, as a click is. */
const FAINT = 1 / 128
const STRAY = 0.005
/** Seconds of silence that are more than a rest. */
const LONGEST_REST = 2

/** Whether a sound is silent, and longer than a rest is. */
export function isSilent(bytes: Uint8Array, sound: Sound): boolean {
  const samples = decodeSamples(bytes, sound)
  if (samples.length < LONGEST_REST * sound.rate) return false
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length
  const heard = samples.reduce((count, x) => count + (Math.abs(x - mean) > FAINT ? 1 : 0), 0)
  return heard <= STRAY * samples.length
}

export const audio: ModalityEntry = {
  noun: "sound",
  kind: "Sound",
  kinds: "Sounds",
  format: Sound,
  forms: {
    wav: { save: "Save WAV", extension: ".wav", mime: "audio/wav" },
    flac: { save: "Save FLAC", extension: ".flac", mime: "audio/flac" },
    midi: { save: "Save notes (MIDI)", extension: ".mid", mime: "audio/midi" },
  },
  lengthUnit: "bytes",
  typed: false,
  variations: 1,
  presets: narrowPresets,
  documents(media) {
    const sound = Sound.parse(media)
    return {
      styles: sound.styles,
      defaultStyle: sound.defaultStyle ?? 0,
      // Style and noise count from silence, so that a header is not heard.
      header({ style = 0, generating = false } = {}) {
        const header = new Uint8Array(sound.header).fill(SILENCE + style)
        if (sound.noise !== undefined) header.fill(SILENCE + (generating ? sound.noise : 0), header.length >> 1)
        return header
      },
      files: { file: "sound.wav", raw: "sound.raw" },
      unit: { name: "seconds", bytes: secondBytes(sound), most: 3600 },
      amount: (bytes) => `${(bytes / secondBytes(sound)).toFixed(1)} s`,
      usualLength: 4 * secondBytes(sound),
      grain: () => ({ name: "samples", bytes: sampleBytes(sound) }),
      columns: false,
      // After silence more of it may be meant.
      flaw: (bytes, given) =>
        isSilent(bytes.subarray(given), sound) &&
        !isSilent(bytes.subarray(Math.max(0, given - LONGEST_REST * secondBytes(sound)), given), sound)
          ? "silent"
          : undefined,
      marks: [],
    }
  },
}
