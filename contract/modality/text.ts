import { z } from "zod"
import constants from "../constants.json" with { type: "json" }
import { type ModalityEntry, plural, styled, widePresets } from "./modality.ts"

/** Media of a text pack. */
export const Text = z.object({
  encoding: z.literal("utf-8").optional(),
  /** The byte that stands where a document ends. */
  endOfDocument: z.int().min(0).max(255).optional(),
  ...styled,
  header: styled.header.default(0),
})
export type Text = z.infer<typeof Text>

/** Second half of a text's header: whether the text after it is a document's beginning or comes from further on. */
const { begins: BEGINS, within: WITHIN } = constants.text

/** How much may be made for it to be looked at whole, the longest stretch that is said over and over, and how exactly. */
const [SHORTEST, LONGEST, PERIOD, ALIKE] = [160, 20_000, 400, 0.97]

/** The number of bytes after which a text repeats itself, all but its beginning; undefined where it does not. */
export function loopOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < SHORTEST || bytes.length > LONGEST) return undefined
  const begin = Math.ceil(bytes.length / 4)
  for (let period = 1; period <= Math.min(PERIOD, bytes.length / 8); period++) {
    let unlike = 0
    for (let i = begin; i < bytes.length && unlike <= (1 - ALIKE) * (bytes.length - begin); i++)
      if (bytes[i] !== bytes[i - period]) unlike++
    if (unlike <= (1 - ALIKE) * (bytes.length - begin)) return period
  }
  return undefined
}

/** Whether a text ends as its continuation goes on: over and over, which was meant then. */
const endsIn = (given: Uint8Array, period: number) =>
  given.length >= 2 * period && given.slice(-period).every((byte, i) => byte === given[given.length - 2 * period + i])

export const text: ModalityEntry = {
  noun: "story",
  kind: "Story",
  kinds: "Stories",
  format: Text,
  forms: { txt: { save: "Save text", extension: ".txt", mime: "text/plain" } },
  lengthUnit: "characters",
  typed: true,
  variations: 4,
  presets: widePresets,
  documents(media) {
    const { header, styles, defaultStyle = 0, endOfDocument } = Text.parse(media)
    // Both are counted from 1, as 0 is the end mark of the texts that were trained on.
    const ofHeader = header ? Array.from({ length: Math.max(styles.length, WITHIN) }, (_, i) => i + 1) : []
    return {
      styles,
      defaultStyle,
      header({ style = 0, cut = false } = {}) {
        return new Uint8Array(header).fill(1 + style).fill(cut ? WITHIN : BEGINS, header >> 1)
      },
      files: { file: "output.txt" },
      unit: { name: "characters", bytes: 1, most: 1_000_000 },
      // English has 5.7 bytes a word, its space included.
      amount: (bytes) => plural(Math.max(bytes ? 1 : 0, Math.round(bytes / 5.7)), "word"),
      usualLength: 600,
      grain: () => ({ name: "bytes", bytes: 1 }),
      columns: false,
      flaw(bytes, given) {
        const period = loopOf(bytes.subarray(given))
        return period !== undefined && !endsIn(bytes.subarray(0, given), period) ? "repeating itself" : undefined
      },
      endMark: endOfDocument,
      marks: [...(endOfDocument === undefined ? [] : [endOfDocument]), ...ofHeader],
    }
  },
}
