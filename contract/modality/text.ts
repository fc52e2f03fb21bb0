import { z } from "zod"
import { type ModalityEntry, styled } from "./modality.ts"

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
const BEGINS = 1
const WITHIN = 2

export const text: ModalityEntry = {
  noun: "text",
  format: Text,
  forms: { txt: { save: "Save as…", extension: ".txt", mime: "text/plain" } },
  lengthUnit: "characters",
  typed: true,
  documents(media) {
    const { header, styles, defaultStyle = 0, endOfDocument } = Text.parse(media)
    // Both are counted from 1, as 0 is the end mark of the texts that were trained on.
    const ofHeader = header ? Array.from({ length: Math.max(styles.length, WITHIN) }, (_, i) => i + 1) : []
    return {
      styles,
      defaultStyle,
      header: ({ style = 0, cut = false } = {}) =>
        new Uint8Array(header).fill(1 + style).fill(cut ? WITHIN : BEGINS, header >> 1),
      files: { file: "output.txt" },
      unit: { name: "characters", bytes: 1, most: 1_000_000 },
      usualLength: 600,
      grain: () => ({ name: "bytes", bytes: 1 }),
      columns: false,
      endMark: endOfDocument,
      marks: [...(endOfDocument === undefined ? [] : [endOfDocument]), ...ofHeader],
    }
  },
}
